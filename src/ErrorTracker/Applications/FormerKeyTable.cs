using ErrorTracker.Log;
using JasperFx;
using Marten;
using Marten.Schema;
using Npgsql;

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
        try
        {
            await CarryOverAsync(rows, store, cancellation);
        }
        catch (DocumentAlreadyExistsException)
        {
            // A node that started at the same moment has done it: nothing is left but to look.
            await CarryOverAsync(rows, store, cancellation);
        }
    }

    private static async Task CarryOverAsync(List<Row> rows, IDocumentStore store, CancellationToken stop)
    {
        if (rows.Count == 0) return;
        await using var session = store.LightweightSession();
        var found = await session.LoadManyAsync<IngestKey>(stop, rows.Select(row => row.Key.Id));
        var documents = found.ToDictionary(key => key.Id);
        foreach (var (key, use) in rows)
            if (!documents.TryGetValue(key.Id, out var document))
            {
                session.Insert(key);
                if (use is not null) session.Store(use);
            }
            else if (key.RevokedAt is not null && document.RevokedAt is null)
            {
                // A node of the former version revoked it after it had become a document.
                session.Update(key);
            }
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
