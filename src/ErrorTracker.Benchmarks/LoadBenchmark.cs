using System.Diagnostics;
using System.Text;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// What do statistics cost while 5,000 events arrive each second, one request each, and are they right at the end?
/// </summary>
internal static class LoadBenchmark
{
    private const int Applications = 5, Rate = 5_000, Seconds = 30, Connections = 64;

    private static readonly string[] Statistics = ["by-level?", "timeseries?interval=MINUTE&", "top-messages?"];

    public static async Task RunAsync(Report report)
    {
        await using var host = await Host.StartAsync();
        var senders = new List<Sender>();
        for (var i = 0; i < Applications; i++) senders.Add(await host.RegisterAsync($"bench-{i}"));

        using var done = new CancellationTokenSource(TimeSpan.FromSeconds(Seconds));
        var asking = AskAsync(host, senders, report, done.Token);
        var watch = Stopwatch.StartNew();
        var accepted = await SendAsync(host, senders, report, done.Token);
        var elapsed = watch.Elapsed.TotalSeconds;
        var (now, past) = await asking;

        var counted = 0L;
        foreach (var sender in senders) counted += await host.CountAsync(sender);
        if (counted != accepted) report.Fault($"{accepted} events were accepted, {counted} are counted");
        report.Add(
            "statistics of the last minutes until now, "
            + $"while {accepted / elapsed:N0} events/s arrive in {Applications} applications",
            new[] { now }.Describe());
        report.Add("the same, the window's end at any second of the load", new[] { past }.Describe());
    }

    /// <summary>How many events were accepted.</summary>
    private static async Task<long> SendAsync(Host host, List<Sender> senders, Report report, CancellationToken done)
    {
        long accepted = 0, next = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var number = Interlocked.Increment(ref next);
                var early = number * 1000.0 / Rate - watch.Elapsed.TotalMilliseconds;
                if (early > 1) await Task.Delay((int)early, CancellationToken.None);
                using var request = Request(senders[(int)(number % Applications)], number);
                using var answer = await host.Http.SendAsync(request, CancellationToken.None);
                if (answer.IsSuccessStatusCode) Interlocked.Increment(ref accepted);
                else report.Fault($"an event was answered {(int)answer.StatusCode}");
            }
        })));
        return accepted;
    }

    /// <summary>Windows that end now, and windows that end somewhere in the load.</summary>
    private static async Task<(List<double> Now, List<double> Past)> AskAsync(
        Host host, List<Sender> senders, Report report, CancellationToken done)
    {
        var random = new Random(1);
        var start = DateTime.UtcNow;
        List<double> untilNow = [], untilPast = [];
        while (!done.IsCancellationRequested)
        {
            var isPast = random.Next(2) == 0;
            var now = DateTime.UtcNow;
            var until = isPast ? now - random.NextDouble() * (now - start) : now;
            var statistic = Statistics[random.Next(Statistics.Length)];
            var sender = senders[random.Next(senders.Count)];
            var url = $"/apps/{sender.Id}/stats/{statistic}since={Text(start.AddMinutes(-5))}&until={Text(until)}";
            var watch = Stopwatch.StartNew();
            using var answer = await host.Http.GetAsync(url, CancellationToken.None);
            (isPast ? untilPast : untilNow).Add(watch.Elapsed.TotalMilliseconds);
            if (!answer.IsSuccessStatusCode) report.Fault($"{statistic} was answered {(int)answer.StatusCode}");
            await Task.Delay(50, CancellationToken.None);
        }
        return (untilNow, untilPast);
    }

    private static HttpRequestMessage Request(Sender sender, long number)
    {
        var frame =
            $$"""
            {"file":"Checkout.cs","line":{{number % 90}},"function":"Pay","module":"{{new string('x', 700)}}"}
            """;
        var body =
            $$$"""
            {"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment {{{number % 500}}} declined",
            "stack":{"frames":[{{{frame}}}]},"tags":{"region":"eu"}}
            """;
        return new(HttpMethod.Post, $"/apps/{sender.Id}/events")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
            Headers = { { "X-INGEST-KEY", sender.Key } },
        };
    }

    private static string Text(DateTime at) => $"{at:yyyy-MM-ddTHH:mm:ss.ffffffZ}";
}
