using System.Threading.Channels;
using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Marten;
using Npgsql;
using NpgsqlTypes;
using Spectre.Console;

namespace ErrorTracker.Transfer;

/// <summary>
/// The command <c>demo</c>: fills the log with realistic errors of the last days, by COPY. It draws sequence numbers as any writer does and leaves
/// the high-water mark alone, so a host may run and take events meanwhile; its projection folds the demo's like all others.
/// </summary>
internal static class LoadDemo
{
    private const int Chunk = 20_000, Writers = 2, Seed = 7;

    /// <param name="services">Of a host that is not started.</param>
    /// <param name="events">How many errors.</param>
    /// <param name="days">Over how many days, until now.</param>
    /// <param name="applications">Of how many new applications.</param>
    /// <returns>The exit code.</returns>
    public static async Task<int> RunAsync(IServiceProvider services, int events, int days, int applications)
    {
        var store = services.GetRequiredService<IDocumentStore>();
        var clock = services.GetRequiredService<TimeProvider>();
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        var ids = await RegisterAsync(store, clock, applications);
        var demo = new DemoErrors(Instant.Now(clock) - TimeSpan.FromDays(days), days, applications, Seed);
        var database = services.GetRequiredService<LogDatabases>().Main.Reserved;

        await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async progress =>
        {
            var bar = progress.AddTask($"{events:N0} errors of {applications} applications", maxValue: events);
            var chunks = Channel.CreateUnbounded<long>();
            for (var first = 0L; first < events; first += Chunk) chunks.Writer.TryWrite(first);
            chunks.Writer.Complete();
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(async () =>
            {
                await foreach (var first in chunks.Reader.ReadAllAsync())
                {
                    var count = (int)Math.Min(Chunk, events - first);
                    await CopyAsync(database, demo.Take(first, count, events), ids, count);
                    bar.Increment(count);
                }
            })));
        });
        await using var analyze = database.CreateCommand($"analyze {LogSchema.Name}.mt_events, {LogSchema.Name}.mt_streams");
        await analyze.ExecuteNonQueryAsync();
        Console.WriteLine($"Loaded {events:N0} errors into the applications {string.Join(", ", ids)}.");
        return 0;
    }

    private static async Task<int[]> RegisterAsync(IDocumentStore store, TimeProvider clock, int count)
    {
        var ids = new List<int>();
        for (var number = 1; ids.Count < count; number++)
            if (await RegisterApplication.RegisterAsync($"demo-{number}", store, clock, CancellationToken.None) is { } registered) ids.Add(registered.Id);
        return [.. ids];
    }

    /// <summary>One transaction; each application's part of it is a segment of its own.</summary>
    private static async Task CopyAsync(NpgsqlDataSource database, IEnumerable<DemoError> errors, int[] ids, int count)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var (segments, versions) = (ids.Select(_ => Guid.CreateVersion7()).ToArray(), new long[ids.Length]);
        var sequence = new Queue<long>(await SequenceAsync(connection, count));
        var rows = errors.ToList();
        foreach (var row in rows) versions[row.Application]++;

        await using (var streams = await connection.BeginBinaryImportAsync($"copy {LogSchema.Name}.mt_streams (tenant_id, id, version, is_archived) from stdin binary"))
        {
            for (var i = 0; i < ids.Length; i++)
                if (versions[i] > 0) await streams.WriteRowAsync(CancellationToken.None, ids[i].ToString(), segments[i], versions[i], false);
            await streams.CompleteAsync();
        }

        Array.Clear(versions);
        await using (var log = await connection.BeginBinaryImportAsync(
            $"copy {LogSchema.Name}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived) from stdin binary"))
        {
            foreach (var row in rows)
            {
                await log.StartRowAsync();
                await log.WriteAsync(sequence.Dequeue());
                await log.WriteAsync(Guid.CreateVersion7(row.ReceivedAt));
                await log.WriteAsync(segments[row.Application]);
                await log.WriteAsync(++versions[row.Application]);
                await log.WriteAsync(row.Data, NpgsqlDbType.Jsonb);
                await log.WriteAsync(EventKinds.ErrorOccurred.StoredType);
                await log.WriteAsync(row.ReceivedAt);
                await log.WriteAsync(ids[row.Application].ToString());
                await log.WriteAsync(EventKinds.ErrorOccurred.StoredDotnetType);
                await log.WriteAsync(false);
            }
            await log.CompleteAsync();
        }
        await transaction.CommitAsync();
    }

    private static async Task<long[]> SequenceAsync(NpgsqlConnection connection, int count)
    {
        await using var command = new NpgsqlCommand($"select array_agg(nextval('{LogSchema.Name}.mt_events_sequence')) from generate_series(1, $1)", connection) { Parameters = { new() { Value = count } } };
        return (long[])(await command.ExecuteScalarAsync())!;
    }
}
