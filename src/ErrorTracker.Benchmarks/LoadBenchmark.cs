using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;

namespace ErrorTracker.Benchmarks;

/// <summary>What do statistics cost while 5,000 events arrive each second, one request each, and are they right at the end?</summary>
internal static class LoadBenchmark
{
    private const int Applications = 5, Rate = 5_000, Seconds = 30, Connections = 64;

    private static readonly string[] Statistics = ["by-level", "timeseries?interval=MINUTE", "top-messages"];

    public static async Task RunAsync(int events, Report report)
    {
        await using var host = await Host.StartAsync();
        var senders = new List<(int Id, string Key)>();
        for (var i = 0; i < Applications; i++)
        {
            var answer = await (await host.Http.PostAsync($"/apps/bench-{i}", null)).Content.ReadFromJsonAsync<JsonElement>();
            senders.Add((answer.GetProperty("id").GetInt32(), answer.GetProperty("ingest_key").GetString()!));
        }

        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(Seconds));
        var asking = AskAsync(host, senders, report, done.Token);
        var (accepted, next, watch) = (0L, 0L, Stopwatch.StartNew());
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var number = Interlocked.Increment(ref next);
                var early = number * 1000.0 / Rate - watch.Elapsed.TotalMilliseconds;
                if (early > 1) await Task.Delay((int)early);
                using var answer = await SendAsync(host.Http, senders[(int)(number % Applications)], number);
                if (answer.IsSuccessStatusCode) Interlocked.Increment(ref accepted);
                else report.Fault($"an event was answered {(int)answer.StatusCode}");
            }
        })));
        var elapsed = watch.Elapsed.TotalSeconds;
        var (now, past) = await asking;

        var counted = 0L;
        foreach (var (id, _) in senders)
            foreach (var item in (await host.Http.GetFromJsonAsync<JsonElement>($"/apps/{id}/stats/by-level?since=2020-01-01&until=2100-01-01")).GetProperty("items").EnumerateArray()) counted += item.GetProperty("count").GetInt64();
        if (counted != accepted) report.Fault($"{accepted} events were accepted, {counted} are counted");
        report.Add($"statistics of the last minutes until now, while {accepted / elapsed:N0} events/s arrive in {Applications} applications", new[] { now }.Describe());
        report.Add("the same, the window's end at any second of the load", new[] { past }.Describe());
    }

    /// <summary>Windows that end now, and windows that end somewhere in the load.</summary>
    private static async Task<(List<double> Now, List<double> Past)> AskAsync(Host host, List<(int Id, string Key)> senders, Report report, CancellationToken done)
    {
        var (random, start, times) = (new Random(1), DateTime.UtcNow, (Now: new List<double>(), Past: new List<double>()));
        while (!done.IsCancellationRequested)
        {
            var past = random.Next(2) == 0;
            var now = DateTime.UtcNow;
            var until = past ? now - random.NextDouble() * (now - start) : now;
            var statistic = Statistics[random.Next(Statistics.Length)];
            var watch = Stopwatch.StartNew();
            using var answer = await host.Http.GetAsync($"/apps/{senders[random.Next(senders.Count)].Id}/stats/{statistic}{(statistic.Contains('?') ? '&' : '?')}since={start.AddMinutes(-5):yyyy-MM-ddTHH:mm:ss.ffffffZ}&until={until:yyyy-MM-ddTHH:mm:ss.ffffffZ}", CancellationToken.None);
            (past ? times.Past : times.Now).Add(watch.Elapsed.TotalMilliseconds);
            if (!answer.IsSuccessStatusCode) report.Fault($"{statistic} was answered {(int)answer.StatusCode}");
            await Task.Delay(50, CancellationToken.None);
        }
        return times;
    }

    private static Task<HttpResponseMessage> SendAsync(HttpClient http, (int Id, string Key) sender, long number)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events")
        {
            Content = new StringContent($$$"""{"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment {{{number % 500}}} declined","stack":{"frames":[{"file":"Checkout.cs","line":{{{number % 90}}},"function":"Pay","module":"{{{new string('x', 700)}}}"}]},"tags":{"region":"eu"}}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("X-INGEST-KEY", sender.Key);
        return http.SendAsync(request);
    }
}
