using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Benchmarks;

/// <summary>How many events a second are committed, one a request and in batches, with the projection live, and what does it cost in time and memory?</summary>
internal static class IngestBenchmark
{
    private const int Rounds = 5, Different = 500;

    private static readonly TimeSpan Stretch = TimeSpan.FromSeconds(2), Long = TimeSpan.FromSeconds(60);

    public static async Task RunAsync(int events, Report report)
    {
        await using var host = await Host.StartAsync();
        var registered = await (await host.Http.PostAsync("/apps/bench", null)).Content.ReadFromJsonAsync<JsonElement>();
        var (application, key) = (registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!);
        await Baselines.CreateAsync(host);
        await using var baseline = await BaselineProcess.StartAsync(host.ConnectionString);
        var accepted = 0L;

        foreach (var size in new[] { 1_000, 50_000 })
        {
            byte[][] Requests(string path) => [.. Enumerable.Range(0, size > 10_000 ? 20 : Different).Select(i => Load.Post(path, key, Load.Event(size, i)))];
            var (noop, insert, ours) = (Requests("/noop"), Requests("/insert"), Requests($"/apps/{application}/events"));
            foreach (var connections in new[] { 1, 16, 64, 256 })
            {
                var (noops, inserts, rates, latencies) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
                for (var round = 0; round <= Rounds; round++) // the first one warms
                {
                    var (n, i, o) = (await Load.RunAsync(baseline.Port, noop, connections, Stretch), await Load.RunAsync(baseline.Port, insert, connections, Stretch), await Load.RunAsync(host.Port, ours, connections, Stretch));
                    accepted += o.Good;
                    if (n.Bad + i.Bad + o.Bad > 0) report.Fault($"{n.Bad} + {i.Bad} + {o.Bad} requests failed");
                    if (round == 0) continue;
                    (noops, inserts, rates) = ([.. noops, n.Rate], [.. inserts, i.Rate], [.. rates, o.Rate]);
                    latencies.AddRange(o.Latencies);
                }
                report.Add($"single POST, {size / 1000} KB, {connections} connections", $"{rates.Median():N0}/s ({rates.Min():N0}–{rates.Max():N0}), p50 {latencies.Median():0.0} ms, p99 {latencies.Percentile(99):0.0} ms",
                    $"no-op {noops.Median():N0}/s: {rates.Median() / noops.Median():0.00}; one INSERT a request {inserts.Median():N0}/s: {rates.Median() / inserts.Median():0.0}×");
            }
        }

        foreach (var length in new[] { 1, 100, 1_000 })
        {
            var bodies = Enumerable.Range(0, length).Select(i => Load.Event(1_000, i)).ToList();
            byte[][] request = [Load.Post($"/apps/{application}/events/batch", key, [(byte)'[', .. bodies.SelectMany((b, i) => i == 0 ? b : [(byte)',', .. b]), (byte)']'])];
            var (copies, rates) = (new List<double>(), new List<double>());
            for (var round = 0; round <= Rounds; round++)
            {
                var copied = await CopyAsync(host, bodies);
                var sent = await Load.RunAsync(host.Port, request, 4, Stretch);
                accepted += sent.Good * length;
                if (sent.Bad > 0) report.Fault($"{sent.Bad} batches failed");
                if (round > 0) (copies, rates) = ([.. copies, copied], [.. rates, sent.Rate * length]);
            }
            report.Add($"batch of {length:N0}, 1 KB each, 4 connections", $"{rates.Median():N0} events/s ({rates.Min():N0}–{rates.Max():N0})", $"binary COPY of as many a transaction, 2 writers {copies.Median():N0}/s: {rates.Median() / copies.Median():0.00}");
        }

        var load = Enumerable.Range(0, Different).Select(i => Load.Post($"/apps/{application}/events", key, Load.Event(1_000, i))).ToArray();
        accepted += await EndToEndAsync(host, load, report);
        await host.FoldedAsync();
        var counted = (await host.Http.GetFromJsonAsync<JsonElement>($"/apps/{application}/stats/by-level?since=2020-01-01&until=2100-01-01")).GetProperty("items").EnumerateArray().Sum(i => i.GetProperty("count").GetInt64());
        if (counted != accepted) report.Fault($"{accepted} events were acknowledged, {counted} are counted");
    }

    private static async Task<long> EndToEndAsync(Host host, byte[][] load, Report report)
    {
        using var done = new CancellationTokenSource();
        var (cpu, sampling) = (host.CpuSeconds, LagAsync(host, done.Token));
        var full = await Load.RunAsync(host.Port, load, 64, Long);
        done.Cancel();
        var (lags, memory) = await sampling;
        if (full.Bad > 0) report.Fault($"{full.Bad} requests failed");
        report.Add("end to end, 60 s, 64 connections, 1 KB", $"{full.Rate:N0} events/s; behind by p50 {lags.Median():0} ms, p99 {lags.Percentile(99):0} ms, at the end {lags[^1]:0} ms");
        report.Add("CPU of the API for 10,000 events", $"{(host.CpuSeconds - cpu) / full.Good * 10_000:0.00} s");
        report.Add("memory during these 60 s", $"API {memory.Min():N0}–{memory.Max():N0} MB resident");

        var half = await Load.RunAsync(host.Port, load, 64, Long / 4, full.Rate / 2);
        if (half.Bad > 0) report.Fault($"{half.Bad} requests failed");
        report.Add("latency at half of that load", $"p50 {half.Latencies.Median():0.0} ms, p99 {half.Latencies.Percentile(99):0.0} ms ({half.Rate:N0}/s)");
        return full.Good + half.Good;
    }

    /// <summary>For each moment, how long ago the log first held more than is folded now, in milliseconds; and the API's memory, in megabytes.</summary>
    private static async Task<(List<double> Lags, List<double> Memory)> LagAsync(Host host, CancellationToken done)
    {
        var (lags, memory, seen, watch) = (new List<double>(), new List<double>(), new Queue<(double At, long Last)>(), Stopwatch.StartNew());
        await using var connection = await host.Database.OpenConnectionAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            $"select (select coalesce(max(seq_id), 0) from errortracker.mt_events), (select coalesce(max(last_seq_id), 0) from errortracker.mt_event_progression where name = '{Projections.CounterProjection.ShardIdentity}')", connection);
        while (!done.IsCancellationRequested)
        {
            await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
            {
                await reader.ReadAsync(CancellationToken.None);
                var now = watch.Elapsed.TotalMilliseconds;
                seen.Enqueue((now, reader.GetInt64(0)));
                while (seen.Count > 0 && seen.Peek().Last <= reader.GetInt64(1)) seen.Dequeue();
                lags.Add(seen.Count == 0 ? 0 : now - seen.Peek().At);
            }
            memory.Add(host.ResidentMegabytes);
            await Task.Delay(20, CancellationToken.None);
        }
        return (lags, memory);
    }

    /// <summary>Events a second that two writers copy into a table of the log's shape, so many a transaction.</summary>
    private static async Task<double> CopyAsync(Host host, List<byte[]> bodies)
    {
        var (rows, watch) = (0L, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            await using var connection = await host.Database.OpenConnectionAsync();
            while (watch.Elapsed < Stretch)
            {
                await using var sequence = new NpgsqlCommand($"select array_agg(nextval('{Baselines.Table}_sequence')) from generate_series(1, {bodies.Count})", connection);
                var (numbers, stream, version) = ((long[])(await sequence.ExecuteScalarAsync())!, Guid.CreateVersion7(), 0L);
                await using var copy = await connection.BeginBinaryImportAsync($"copy {Baselines.Table} from stdin binary");
                foreach (var body in bodies)
                {
                    await copy.StartRowAsync();
                    await copy.WriteAsync(numbers[version]);
                    await copy.WriteAsync(Guid.CreateVersion7());
                    await copy.WriteAsync(stream);
                    await copy.WriteAsync(++version);
                    await copy.WriteAsync(body, NpgsqlDbType.Jsonb);
                    await copy.WriteAsync("error_occurred", NpgsqlDbType.Varchar);
                    await copy.WriteAsync(DateTimeOffset.UtcNow);
                    await copy.WriteAsync("1", NpgsqlDbType.Varchar);
                    await copy.WriteAsync("ErrorTracker.Ingestion.ErrorOccurred, ErrorTracker", NpgsqlDbType.Varchar);
                    await copy.WriteAsync(false);
                }
                await copy.CompleteAsync();
                Interlocked.Add(ref rows, bodies.Count);
            }
        })));
        return rows / watch.Elapsed.TotalSeconds;
    }
}
