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
/// The room Transfer brings whole logs in, and will take them out; it may use Statistics and the rooms below it. This is
/// the command <c>demo</c>: it fills the log with realistic errors of the last days, by COPY. It draws sequence numbers
/// as any writer does and leaves the high-water mark alone, so a host may run and take events meanwhile; its projection
/// folds the demo's like all others.
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
        var database = services.GetRequiredService<LogDatabases>().Main.Reserved;
        await store.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        var ids = await RegisterAsync(store, clock, applications);
        var demo = new DemoErrors(Instant.Now(clock) - TimeSpan.FromDays(days), days, applications, Seed);

        await ProgressBar().StartAsync(async progress =>
        {
            var bar = progress.AddTask($"{events:N0} errors of {applications} applications", maxValue: events);
            var chunks = Chunks(events);
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(_ => Task.Run(WriteAsync)));

            async Task WriteAsync()
            {
                await foreach (var first in chunks.ReadAllAsync())
                {
                    var count = (int)Math.Min(Chunk, events - first);
                    await CopyAsync(database, [.. demo.Take(first, count, events)], ids);
                    bar.Increment(count);
                }
            }
        });
        await AnalyzeAsync(database);
        Console.WriteLine($"Loaded {events:N0} errors into the applications {string.Join(", ", ids)}.");
        return 0;
    }

    private static Progress ProgressBar() => AnsiConsole.Progress().Columns(
        new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());

    /// <summary>Where each chunk starts; the writers take one after the other.</summary>
    private static ChannelReader<long> Chunks(int events)
    {
        var chunks = Channel.CreateUnbounded<long>();
        for (var first = 0L; first < events; first += Chunk) chunks.Writer.TryWrite(first);
        chunks.Writer.Complete();
        return chunks.Reader;
    }

    private static async Task<int[]> RegisterAsync(IDocumentStore store, TimeProvider clock, int count)
    {
        var ids = new List<int>();
        for (var number = 1; ids.Count < count; number++)
        {
            var registered = await RegisterApplication.RegisterAsync($"demo-{number}", store, clock, CancellationToken.None);
            if (registered is not null) ids.Add(registered.Id);
        }
        return [.. ids];
    }

    /// <summary>One transaction; each application's part of it is a segment of its own.</summary>
    private static async Task CopyAsync(NpgsqlDataSource database, List<DemoError> errors, int[] ids)
    {
        await using var connection = await database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var segments = Array.ConvertAll(ids, _ => Guid.CreateVersion7());
        await CopyStreamsAsync(connection, errors, ids, segments);
        await CopyEventsAsync(connection, errors, ids, segments);
        await transaction.CommitAsync();
    }

    private static async Task CopyStreamsAsync(
        NpgsqlConnection connection, List<DemoError> errors, int[] ids, Guid[] segments)
    {
        await using var streams = await connection.BeginBinaryImportAsync(
            $"copy {LogSchema.Name}.mt_streams (tenant_id, id, version, is_archived) from stdin binary");
        foreach (var (application, version) in errors.CountBy(error => error.Application))
            await streams.WriteRowAsync(
                CancellationToken.None, TenantId.Of(ids[application]), segments[application], (long)version, false);
        await streams.CompleteAsync();
    }

    private static async Task CopyEventsAsync(
        NpgsqlConnection connection, List<DemoError> errors, int[] ids, Guid[] segments)
    {
        var sequence = await SequenceAsync(connection, errors.Count);
        var versions = new long[ids.Length];
        await using var log = await connection.BeginBinaryImportAsync(
            $"""
            copy {LogSchema.Name}.mt_events
              (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers,
               is_archived)
            from stdin binary
            """);
        foreach (var (number, error) in errors.Index())
        {
            var application = error.Application;
            versions[application]++;
            await log.StartRowAsync();
            await log.WriteAsync(sequence[number]);
            await log.WriteAsync(Guid.CreateVersion7(error.ReceivedAt));
            await log.WriteAsync(segments[application]);
            await log.WriteAsync(versions[application]);
            await log.WriteAsync(error.Data, NpgsqlDbType.Jsonb);
            await log.WriteAsync(EventKinds.ErrorOccurred.StoredType);
            await log.WriteAsync(error.ReceivedAt);
            await log.WriteAsync(TenantId.Of(ids[application]));
            await log.WriteAsync(EventKinds.ErrorOccurred.StoredDotnetType);
            await log.WriteAsync(error.Headers, NpgsqlDbType.Jsonb);
            await log.WriteAsync(false);
        }
        await log.CompleteAsync();
    }

    private static async Task<long[]> SequenceAsync(NpgsqlConnection connection, int count)
    {
        await using var command = new NpgsqlCommand(
            $"select array_agg(nextval('{LogSchema.Name}.mt_events_sequence')) from generate_series(1, $1)", connection);
        command.Parameters.Add(new() { Value = count });
        return (long[])(await command.ExecuteScalarAsync())!;
    }

    private static async Task AnalyzeAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand($"analyze {LogSchema.Name}.mt_events, {LogSchema.Name}.mt_streams");
        await command.ExecuteNonQueryAsync();
    }
}
