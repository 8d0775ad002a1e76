using System.Diagnostics;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// How many events a second are committed, one a request and in batches, with the projection live, and what does it
/// cost in time and memory?
/// </summary>
internal sealed class IngestBenchmark(Host host, BaselineProcess baseline, Sender sender, Report report)
{
    private const int Rounds = 5, DifferentEvents = 500;

    private static readonly TimeSpan Stretch = TimeSpan.FromSeconds(2), LongStretch = TimeSpan.FromSeconds(60);

    private long _accepted;

    public static async Task RunAsync(Report report)
    {
        await using var host = await Host.StartAsync();
        var sender = await host.RegisterAsync("bench");
        await Baselines.CreateTableAsync(host);
        await using var baseline = await BaselineProcess.StartAsync(host.ConnectionString);
        var benchmark = new IngestBenchmark(host, baseline, sender, report);

        foreach (var size in new[] { 1_000, 50_000 })
            foreach (var connections in new[] { 1, 16, 64, 256 })
                await benchmark.MeasureSinglesAsync(size, connections);
        foreach (var length in new[] { 1, 100, 1_000 }) await benchmark.MeasureBatchesAsync(length);
        await benchmark.MeasureEndToEndAsync();
        await benchmark.CompareCountsAsync();
    }

    private async Task MeasureSinglesAsync(int size, int connections)
    {
        var different = size > 10_000 ? 20 : DifferentEvents;
        byte[][] Requests(string path) =>
            [.. Enumerable.Range(0, different).Select(i => Load.Post(path, sender.Key, Load.Event(size, i)))];
        var nothing = Requests("/noop");
        var insert = Requests("/insert");
        var ours = Requests($"/apps/{sender.Id}/events");

        List<double> nothingRates = [], insertRates = [], rates = [], latencies = [];
        for (var round = 0; round <= Rounds; round++)
        {
            var nothingDone = await Load.RunAsync(baseline.Port, nothing, connections, Stretch);
            var inserted = await Load.RunAsync(baseline.Port, insert, connections, Stretch);
            var sent = await SendAsync(ours, connections, Stretch);
            if (nothingDone.Bad + inserted.Bad > 0)
                report.Fault($"{nothingDone.Bad} + {inserted.Bad} requests of the baselines failed");
            if (round == 0) continue; // it warms
            nothingRates.Add(nothingDone.Rate);
            insertRates.Add(inserted.Rate);
            rates.Add(sent.Rate);
            latencies.AddRange(sent.Latencies);
        }

        var rate = rates.Median();
        report.Add(
            $"single POST, {size / 1000} KB, {connections} connections",
            $"{rate:N0}/s ({rates.Min():N0}–{rates.Max():N0}), "
            + $"p50 {latencies.Median():0.0} ms, p99 {latencies.Percentile(99):0.0} ms",
            $"no-op {nothingRates.Median():N0}/s: {rate / nothingRates.Median():0.00}; "
            + $"one INSERT a request {insertRates.Median():N0}/s: {rate / insertRates.Median():0.0}×");
    }

    private async Task MeasureBatchesAsync(int length)
    {
        var events = Enumerable.Range(0, length).Select(i => Load.Event(1_000, i)).ToList();
        byte[] array = [(byte)'[', .. events.SelectMany((body, i) => i == 0 ? body : [(byte)',', .. body]), (byte)']'];
        byte[][] request = [Load.Post($"/apps/{sender.Id}/events/batch", sender.Key, array)];

        List<double> copyRates = [], rates = [];
        for (var round = 0; round <= Rounds; round++)
        {
            var copied = await CopyAsync(events);
            var sent = await SendAsync(request, connections: 4, Stretch, eventsInRequest: length);
            if (round == 0) continue; // it warms
            copyRates.Add(copied);
            rates.Add(sent.Rate * length);
        }

        var rate = rates.Median();
        report.Add(
            $"batch of {length:N0}, 1 KB each, 4 connections",
            $"{rate:N0} events/s ({rates.Min():N0}–{rates.Max():N0})",
            "binary COPY of as many a transaction, 2 writers "
            + $"{copyRates.Median():N0}/s: {rate / copyRates.Median():0.00}");
    }

    private async Task MeasureEndToEndAsync()
    {
        byte[][] requests =
        [
            .. Enumerable.Range(0, DifferentEvents)
                .Select(i => Load.Post($"/apps/{sender.Id}/events", sender.Key, Load.Event(1_000, i))),
        ];

        using var done = new CancellationTokenSource();
        var cpuBefore = host.CpuSeconds;
        var sampling = SampleAsync(done.Token);
        var full = await SendAsync(requests, connections: 64, LongStretch);
        await done.CancelAsync();
        var (lags, memory) = await sampling;
        var cpu = (host.CpuSeconds - cpuBefore) / full.Good * 10_000;
        report.Add(
            "end to end, 60 s, 64 connections, 1 KB",
            $"{full.Rate:N0} events/s; behind by p50 {lags.Median():0} ms, p99 {lags.Percentile(99):0} ms, "
            + $"at the end {lags[^1]:0} ms");
        report.Add("CPU of the API for 10,000 events", $"{cpu:0.00} s");
        report.Add("memory during these 60 s", $"API {memory.Min():N0}–{memory.Max():N0} MB resident");

        var half = await SendAsync(requests, connections: 64, LongStretch / 4, rate: full.Rate / 2);
        report.Add(
            "latency at half of that load",
            $"p50 {half.Latencies.Median():0.0} ms, p99 {half.Latencies.Percentile(99):0.0} ms ({half.Rate:N0}/s)");
    }

    private async Task CompareCountsAsync()
    {
        await host.FoldedAsync();
        var counted = await host.CountAsync(sender);
        if (counted != _accepted) report.Fault($"{_accepted} events were acknowledged, {counted} are counted");
    }

    private async Task<LoadResult> SendAsync(
        byte[][] requests, int connections, TimeSpan duration, double? rate = null, int eventsInRequest = 1)
    {
        var sent = await Load.RunAsync(host.Port, requests, connections, duration, rate);
        _accepted += sent.Good * eventsInRequest;
        if (sent.Bad > 0) report.Fault($"{sent.Bad} requests failed");
        return sent;
    }

    /// <summary>
    /// For each moment, how long ago the log first held more than is folded now, in milliseconds; and the API's memory,
    /// in megabytes.
    /// </summary>
    private async Task<(List<double> Lags, List<double> Memory)> SampleAsync(CancellationToken done)
    {
        var marks =
            $"""
            select
              (select coalesce(max(seq_id), 0) from {LogSchema.Name}.mt_events),
              (select coalesce(max(last_seq_id), 0) from {LogSchema.Name}.mt_event_progression
               where name = '{CountersProjection.Definition.Row}')
            """;
        List<double> lags = [], memory = [];
        var unfolded = new Queue<(double SeenAt, long Last)>();
        var watch = Stopwatch.StartNew();
        await using var connection = await host.Database.OpenConnectionAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(marks, connection);
        while (!done.IsCancellationRequested)
        {
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                await reader.ReadAsync(CancellationToken.None);
                var (last, folded) = (reader.GetInt64(0), reader.GetInt64(1));
                var now = watch.Elapsed.TotalMilliseconds;
                unfolded.Enqueue((now, last));
                while (unfolded.Count > 0 && unfolded.Peek().Last <= folded) unfolded.Dequeue();
                lags.Add(unfolded.Count == 0 ? 0 : now - unfolded.Peek().SeenAt);
            }
            memory.Add(host.ResidentMegabytes);
            await Task.Delay(20, CancellationToken.None);
        }
        return (lags, memory);
    }

    /// <summary>Events a second that two writers copy into a table of the log's shape, so many a transaction.</summary>
    private async Task<double> CopyAsync(List<byte[]> events)
    {
        var rows = 0L;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            await using var connection = await host.Database.OpenConnectionAsync();
            while (watch.Elapsed < Stretch)
            {
                await CopyAsync(connection, events);
                Interlocked.Add(ref rows, events.Count);
            }
        })));
        return rows / watch.Elapsed.TotalSeconds;
    }

    private static async Task CopyAsync(NpgsqlConnection connection, List<byte[]> events)
    {
        await using var sequence = new NpgsqlCommand(
            $"select array_agg(nextval('{Baselines.Table}_sequence')) from generate_series(1, {events.Count})",
            connection);
        var numbers = (long[])(await sequence.ExecuteScalarAsync())!;
        var stream = Guid.CreateVersion7();
        await using var copy = await connection.BeginBinaryImportAsync($"copy {Baselines.Table} from stdin binary");
        foreach (var (index, body) in events.Index())
        {
            await copy.StartRowAsync();
            await copy.WriteAsync(numbers[index]);
            await copy.WriteAsync(Guid.CreateVersion7());
            await copy.WriteAsync(stream);
            await copy.WriteAsync(index + 1L);
            await copy.WriteAsync(body, NpgsqlDbType.Jsonb);
            await copy.WriteAsync(EventKinds.ErrorOccurred.StoredType, NpgsqlDbType.Varchar);
            await copy.WriteAsync(DateTimeOffset.UtcNow);
            await copy.WriteAsync("1", NpgsqlDbType.Varchar);
            await copy.WriteAsync(EventKinds.ErrorOccurred.StoredDotnetType, NpgsqlDbType.Varchar);
            await copy.WriteAsync(false);
        }
        await copy.CompleteAsync();
    }
}
