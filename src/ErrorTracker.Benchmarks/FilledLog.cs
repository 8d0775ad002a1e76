using System.Diagnostics;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// Fills the log of one application by COPY, beside the host, whose projection folds it meanwhile. Sequence numbers are
/// drawn as any writer draws them.
/// </summary>
internal static class FilledLog
{
    private const int Chunk = 20_000, Writers = 2;

    private const string
        StreamColumns = "tenant_id, id, version, is_archived",
        EventColumns =
            "seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived";

    /// <param name="errors">Some errors: from which one on, and how many.</param>
    /// <returns>How long it took until all were folded.</returns>
    public static async Task<TimeSpan> WriteAsync(
        Host host, Sender sender, int events, Func<int, int, IEnumerable<LoggedError>> errors)
    {
        var watch = Stopwatch.StartNew();
        var next = 0;
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Add(ref next, Chunk) - Chunk is var first && first < events)
                await CopyAsync(host, sender, [.. errors(first, Math.Min(Chunk, events - first))]);
        })));
        await host.TimeAsync($"analyze {LogSchema.Name}.mt_events, {LogSchema.Name}.mt_streams");
        await host.FoldedAsync();
        return watch.Elapsed;
    }

    /// <summary>One transaction, whose errors are a segment of their own.</summary>
    private static async Task CopyAsync(Host host, Sender sender, List<LoggedError> errors)
    {
        var tenant = TenantId.Of(sender.Id);
        var segment = Guid.CreateVersion7();
        await using var connection = await host.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var streams = await connection.BeginBinaryImportAsync(
            $"copy {LogSchema.Name}.mt_streams ({StreamColumns}) from stdin binary"))
        {
            await streams.WriteRowAsync(CancellationToken.None, tenant, segment, (long)errors.Count, false);
            await streams.CompleteAsync();
        }
        await CopyEventsAsync(connection, tenant, segment, errors);
        await transaction.CommitAsync();
    }

    private static async Task CopyEventsAsync(
        NpgsqlConnection connection, string tenant, Guid segment, List<LoggedError> errors)
    {
        await using var sequence = new NpgsqlCommand(
            $"select array_agg(nextval('{LogSchema.Name}.mt_events_sequence')) from generate_series(1, {errors.Count})",
            connection);
        var numbers = (long[])(await sequence.ExecuteScalarAsync())!;
        await using var log = await connection.BeginBinaryImportAsync(
            $"copy {LogSchema.Name}.mt_events ({EventColumns}) from stdin binary");
        foreach (var (index, error) in errors.Index())
        {
            await log.StartRowAsync();
            await log.WriteAsync(numbers[index]);
            await log.WriteAsync(Guid.CreateVersion7(error.ReceivedAt));
            await log.WriteAsync(segment);
            await log.WriteAsync(index + 1L);
            await log.WriteAsync(error.Data, NpgsqlDbType.Jsonb);
            await log.WriteAsync(EventKinds.ErrorOccurred.StoredType);
            await log.WriteAsync(error.ReceivedAt);
            await log.WriteAsync(tenant);
            await log.WriteAsync(EventKinds.ErrorOccurred.StoredDotnetType);
            await log.WriteAsync(error.Headers, NpgsqlDbType.Jsonb);
            await log.WriteAsync(false);
        }
        await log.CompleteAsync();
    }
}
