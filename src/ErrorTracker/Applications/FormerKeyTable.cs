using ErrorTracker.Log;
using Marten;
using Marten.Schema;
using Npgsql;
using Weasel.Core;

namespace ErrorTracker.Applications;

/// <summary>
/// Version 0.1.0 kept ingest keys in a table of its own. At each start, before anything is served, those that are no
/// documents yet become some, and those that were revoked in the table are revoked. The table stays as it is, for nodes
/// of that version that still run.
/// </summary>
internal sealed class FormerKeyTable : IInitialData
{
    private const string Name = $"{LogSchema.Name}.ingest_keys";

    public async Task Populate(IDocumentStore store, CancellationToken cancellation)
    {
        var rows = await ReadAsync(store, cancellation);
        if (rows.Count == 0) return;

        // Two nodes may start at once: what one has inserted the other leaves alone.
        await store.BulkInsertAsync(
            rows.ConvertAll(row => row.Key), BulkInsertMode.IgnoreDuplicates, cancellation: cancellation);
        await store.BulkInsertAsync(
            UsesOf(rows), BulkInsertMode.IgnoreDuplicates, cancellation: cancellation);
        await RevokeAsync(rows, store, cancellation);
    }

    private static List<IngestKeyUse> UsesOf(List<Row> rows) =>
        [.. rows.Select(row => row.Use).OfType<IngestKeyUse>()];

    /// <summary>A node of the former version may have revoked a key after it became a document.</summary>
    private static async Task RevokeAsync(List<Row> rows, IDocumentStore store, CancellationToken stop)
    {
        var revoked = rows.ConvertAll(row => row.Key).FindAll(key => key.RevokedAt is not null);
        await using var session = store.LightweightSession();
        var documents = await session.LoadManyAsync<IngestKey>(stop, revoked.Select(key => key.Id));
        var open = documents.Where(key => key.RevokedAt is null).Select(key => key.Id).ToHashSet();
        session.Update(revoked.Where(key => open.Contains(key.Id)));
        await session.SaveChangesAsync(stop);
    }

    private static async Task<List<Row>> ReadAsync(IDocumentStore store, CancellationToken stop)
    {
        await using var connection = store.Storage.Database.CreateConnection();
        await connection.OpenAsync(stop);
        if (!await ExistsAsync(connection, stop)) return [];

        await using var command = new NpgsqlCommand(
            $"""
            select k.id, k.application_id, k.prefix, k.hash, k.created_at, k.revoked_at, k.last_used_at
            from {Name} as k
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var rows = new List<Row>();
        while (await reader.ReadAsync(stop)) rows.Add(Row.Read(reader));
        return rows;
    }

    private static async Task<bool> ExistsAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand($"select to_regclass('{Name}') is not null", connection);
        return (bool)(await command.ExecuteScalarAsync(stop))!;
    }

    private sealed record Row(IngestKey Key, IngestKeyUse? Use)
    {
        public static Row Read(NpgsqlDataReader row)
        {
            var key = new IngestKey(
                row.GetGuid(0), row.GetInt32(1), row.GetString(2), row.GetFieldValue<byte[]>(3),
                row.GetFieldValue<DateTimeOffset>(4), Time(row, 5));
            return new(key, Time(row, 6) is { } lastUsedAt ? new IngestKeyUse(key.Id, lastUsedAt) : null);
        }

        private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
            row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
    }
}
