using System.Diagnostics;
using ErrorTracker.Log;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// What does a statistic cost, and a page: over windows of about 30 days, for a log and one of a tenth of it, against
/// counting the log itself?
/// </summary>
internal sealed class StatisticsBenchmark(Host host, int events, Report report)
{
    private const int Applications = 5, Days = 30, Rounds = 5, InRound = 60;

    private static readonly Statistic[] Statistics =
    [
        new("by-level", "by-level?", "data->>'level'", "level"),
        new("timeseries HOUR", "timeseries?interval=HOUR&",
            "date_trunc('hour', timestamp)", "date_trunc('hour', received_at)"),
        new("timeseries DAY, Asia/Kolkata", "timeseries?interval=DAY&tz=Asia/Kolkata&",
            "date_trunc('day', timestamp, 'Asia/Kolkata')", "date_trunc('day', received_at, 'Asia/Kolkata')"),
        new("top-messages", "top-messages?", "data->>'message'", "message"),
        new("top-messages ERROR", "top-messages?level=ERROR&", "data->>'message'", "message",
            LogFilter: "and data->>'level' = 'ERROR'", TableFilter: "and level = 'ERROR'"),
    ];

    /// <summary>
    /// The table that a team would write instead of a log and counters: what is asked about as columns, and one index
    /// that has all of them, so that PostgreSQL reads nothing else.
    /// </summary>
    private static readonly string PlainTable =
        $"""
        create table bench_plain as
          select
            tenant_id::int as application_id,
            timestamp as received_at,
            data->>'level' as level,
            data->>'message' as message
          from {LogSchema.Name}.mt_events
          where type = '{EventKinds.ErrorOccurred.StoredType}';

        create index on bench_plain (application_id, received_at) include (level, message)
        """;

    private readonly Random _random = new(5);
    private DateTime _newest;

    public static async Task RunAsync(int events, Report report)
    {
        var small = await MeasureAsync(events / 10, report, isWhole: false);
        var large = await MeasureAsync(events, report, isWhole: true);
        foreach (var statistic in Statistics)
        {
            var ratio = Median(large[statistic]) / Median(small[statistic]);
            report.Add($"{statistic.Name}: {events:N0} against {events / 10:N0} events", $"{ratio:0.00}×");
        }
    }

    /// <param name="isWhole">False if only the statistics' own times are wanted.</param>
    private static async Task<Dictionary<Statistic, List<List<double>>>> MeasureAsync(
        int events, Report report, bool isWhole)
    {
        await using var host = await Host.StartAsync();
        var benchmark = new StatisticsBenchmark(host, events, report);
        var loading = await benchmark.LoadAsync();
        var times = await benchmark.AskAsync();
        if (!isWhole) return times;

        report.Add($"loading {events:N0} events", $"{loading.TotalSeconds:0} s");
        await host.TimeAsync(PlainTable);
        await host.TimeAsync("vacuum analyze bench_plain");
        foreach (var statistic in Statistics) await benchmark.CompareAsync(statistic, times[statistic]);
        await benchmark.MeasurePagesAsync();
        await benchmark.MeasureSizesAsync();
        await RebuildBenchmark.RunAsync(host, events, report);
        return times;
    }

    private async Task<TimeSpan> LoadAsync()
    {
        var elapsed = await host.CommandAsync(
            "demo", "--events", $"{events}", "--days", $"{Days}", "--apps", $"{Applications}");
        await host.FoldedAsync();
        await host.TimeAsync("vacuum analyze");
        _newest = await host.ScalarAsync<DateTime>($"select max(timestamp) from {LogSchema.Name}.mt_events");
        return elapsed;
    }

    /// <summary>Milliseconds, by round.</summary>
    private async Task<Dictionary<Statistic, List<List<double>>>> AskAsync()
    {
        foreach (var statistic in Statistics) await AskAsync(statistic); // warm
        var times = Statistics.ToDictionary(statistic => statistic, _ => new List<List<double>>());
        for (var round = 0; round < Rounds; round++)
            foreach (var statistic in Statistics) times[statistic].Add(await AskAsync(statistic));
        return times;
    }

    private async Task<List<double>> AskAsync(Statistic statistic)
    {
        var answers = new List<double>();
        for (var i = 0; i < InRound; i++)
        {
            var (since, until, application) = RandomWindow();
            answers.Add(await GetAsync($"/apps/{application}/stats/{statistic.Path}since={since}&until={until}"));
        }
        return answers;
    }

    /// <summary>The same windows, counted by a GROUP BY on the log and on the plain table.</summary>
    private async Task CompareAsync(Statistic statistic, List<List<double>> times)
    {
        List<double> onLog = [], onTable = [];
        for (var round = 0; round < Rounds; round++)
        {
            var (since, until, application) = RandomWindow();
            onLog.Add(await host.TimeAsync(
                $"""
                select {statistic.OfLog}, count(*)
                from {LogSchema.Name}.mt_events
                where tenant_id = '{application}' and timestamp >= '{since}' and timestamp < '{until}'
                  {statistic.LogFilter}
                group by 1
                """));
            onTable.Add(await host.TimeAsync(
                $"""
                select {statistic.OfTable}, count(*)
                from bench_plain
                where application_id = {application} and received_at >= '{since}' and received_at < '{until}'
                  {statistic.TableFilter}
                group by 1
                """));
        }
        var ours = Median(times);
        report.Add(
            $"{statistic.Name}, {Days} days of {events:N0} events in {Applications} applications",
            times.Describe(),
            "GROUP BY on a plain table with one covering index "
            + $"{onTable.Median():N0} ms: {onTable.Median() / ours:N0}×; "
            + $"on the log {onLog.Median():N0} ms: {onLog.Median() / ours:N0}×");
    }

    private async Task MeasurePagesAsync()
    {
        var deep = events / Applications / 2;
        List<List<double>> first = [], far = [];
        for (var round = 0; round < Rounds; round++)
        {
            first.Add(await AskPagesAsync(() => 0));
            far.Add(await AskPagesAsync(() => deep + _random.Next(10_000)));
        }
        report.Add("a page at offset 0", first.Describe());
        report.Add($"a page at offset {deep:N0}", far.Describe(), $"offset 0: {Median(far) / Median(first):0.0}×");
    }

    private async Task<List<double>> AskPagesAsync(Func<int> offset)
    {
        var answers = new List<double>();
        for (var i = 0; i < InRound; i++) answers.Add(await GetAsync($"/apps/1/events?limit=20&offset={offset()}"));
        return answers;
    }

    private async Task MeasureSizesAsync()
    {
        var counters = await MegabytesOfMillionAsync("tablename ~ '^(level|message|open)_'");
        var log = await MegabytesOfMillionAsync("tablename in ('mt_events', 'mt_streams')");
        report.Add(
            "counters, per million events", $"{counters:N0} MB", $"the log {log:N0} MB: {counters / log:0.00}×");
    }

    private async Task<double> MegabytesOfMillionAsync(string tables)
    {
        var bytes = await host.ScalarAsync<long>(
            $"""
            select sum(pg_total_relation_size(format('{LogSchema.Name}.%I', tablename)))::bigint
            from pg_tables
            where schemaname = '{LogSchema.Name}' and {tables}
            """);
        return (double)bytes / events;
    }

    /// <summary>About all days, with ends that lie at no border of an hour.</summary>
    private (string Since, string Until, int Application) RandomWindow()
    {
        var since = _newest.AddDays(-Days).AddSeconds(_random.NextDouble() * 72_000);
        var until = _newest.AddSeconds(-_random.NextDouble() * 72_000);
        return (Text(since), Text(until), _random.Next(1, Applications + 1));
    }

    /// <summary>How long an answer takes, in milliseconds.</summary>
    private async Task<double> GetAsync(string path)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await host.Http.GetAsync(path);
        await answer.Content.ReadAsByteArrayAsync();
        if (!answer.IsSuccessStatusCode) report.Fault($"{path} was answered {(int)answer.StatusCode}");
        return watch.Elapsed.TotalMilliseconds;
    }

    private static double Median(List<List<double>> rounds) => rounds.SelectMany(round => round).Median();

    private static string Text(DateTime at) => $"{at:yyyy-MM-ddTHH:mm:ss.ffffffZ}";

    /// <param name="Path">Of the question, after <c>/stats/</c>.</param>
    /// <param name="OfLog">What the log is grouped by instead.</param>
    /// <param name="OfTable">What the plain table is grouped by instead.</param>
    private sealed record Statistic(
        string Name, string Path, string OfLog, string OfTable, string LogFilter = "", string TableFilter = "");
}
