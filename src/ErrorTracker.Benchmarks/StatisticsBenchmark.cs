using System.Diagnostics;
using ErrorTracker.Windows;

namespace ErrorTracker.Benchmarks;

/// <summary>What does a statistic cost, and a page: over windows of about 30 days, for a log and one of a tenth of it, against counting the log itself?</summary>
internal static class StatisticsBenchmark
{
    private const int Applications = 5, Days = 30, Rounds = 5, InRound = 60;

    /// <param name="Path">Of the question, after <c>/stats/</c>.</param>
    /// <param name="OfLog">What the log is grouped by instead.</param>
    /// <param name="OfTable">What the plain table is grouped by instead.</param>
    /// <param name="Filter">Of both.</param>
    private sealed record Statistic(string Name, string Path, string OfLog, string OfTable, (string Log, string Table) Filter = default);

    private static readonly Statistic[] Statistics =
    [
        new("by-level", "by-level", "data->>'level'", "level"),
        new("timeseries HOUR", "timeseries?interval=HOUR", "date_trunc('hour', timestamp)", "date_trunc('hour', received_at)"),
        new("timeseries DAY, Asia/Kolkata", "timeseries?interval=DAY&tz=Asia/Kolkata",
            "date_trunc('day', timestamp, 'Asia/Kolkata')", "date_trunc('day', received_at, 'Asia/Kolkata')"),
        new("top-messages", "top-messages", "data->>'message'", "message"),
        new("top-messages ERROR", "top-messages?level=ERROR", "data->>'message'", "message",
            (" and data->>'level' = 'ERROR'", " and level = 'ERROR'")),
    ];

    /// <summary>
    /// The table that a team would write instead of a log and counters: what is asked about as columns, and one index
    /// that has all of them, so that PostgreSQL reads nothing else.
    /// </summary>
    private const string PlainTable =
        """
        create table bench_plain as
          select tenant_id::int as application_id, timestamp as received_at, data->>'level' as level, data->>'message' as message
          from errortracker.mt_events where type = 'error_occurred';
        create index on bench_plain (application_id, received_at) include (level, message)
        """;

    public static async Task RunAsync(int events, Report report)
    {
        var small = await MeasureAsync(events / 10, report, whole: false);
        var large = await MeasureAsync(events, report, whole: true);
        foreach (var name in Statistics.Select(statistic => statistic.Name))
            report.Add($"{name}: {events:N0} against {events / 10:N0} events", $"{large[name] / small[name]:0.00}×");
    }

    private static async Task<Dictionary<string, double>> MeasureAsync(int events, Report report, bool whole)
    {
        await using var host = await Host.StartAsync();
        var loaded = await host.CommandAsync("demo", "--events", $"{events}", "--days", $"{Days}", "--apps", $"{Applications}");
        await host.FoldedAsync();
        await host.TimeAsync("vacuum analyze");
        var newest = await host.ScalarAsync<DateTime>("select max(timestamp) from errortracker.mt_events");

        var random = new Random(5);
        var times = Statistics.ToDictionary(s => s.Name, _ => new List<IReadOnlyList<double>>());
        foreach (var statistic in Statistics) await AskAsync(statistic.Path); // warm
        for (var round = 0; round < Rounds; round++)
            foreach (var statistic in Statistics) times[statistic.Name].Add(await AskAsync(statistic.Path));

        if (whole)
        {
            report.Add($"loading {events:N0} events", $"{loaded.TotalSeconds:0} s");
            await host.TimeAsync(PlainTable);
            await host.TimeAsync("vacuum analyze bench_plain");
            foreach (var statistic in Statistics)
            {
                var (ours, log, table) = (times[statistic.Name].SelectMany(t => t).Median(), new List<double>(), new List<double>());
                for (var round = 0; round < Rounds; round++)
                {
                    var (since, until, application) = Window();
                    log.Add(await host.TimeAsync(
                        $"""
                        select {statistic.OfLog}, count(*) from errortracker.mt_events
                        where tenant_id = '{application}' and timestamp >= '{since}' and timestamp < '{until}'{statistic.Filter.Log} group by 1
                        """));
                    table.Add(await host.TimeAsync(
                        $"""
                        select {statistic.OfTable}, count(*) from bench_plain
                        where application_id = {application} and received_at >= '{since}' and received_at < '{until}'{statistic.Filter.Table} group by 1
                        """));
                }
                report.Add($"{statistic.Name}, 30 days of {events:N0} events in {Applications} applications", times[statistic.Name].Describe(),
                    $"GROUP BY on a plain table with one covering index {table.Median():N0} ms: {table.Median() / ours:N0}×; on the log {log.Median():N0} ms: {log.Median() / ours:N0}×");
            }
            await PagesAsync();
            await SizesAsync();
            await RebuildBenchmark.RunAsync(host, events, report);
        }
        return times.ToDictionary(t => t.Key, t => t.Value.SelectMany(v => v).Median());

        (string Since, string Until, int Application) Window()
        {
            string Format(DateTime at) => at.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");
            return (Format(newest.AddDays(-Days).AddSeconds(random.NextDouble() * 72_000)), Format(newest.AddSeconds(-random.NextDouble() * 72_000)), random.Next(1, Applications + 1));
        }

        async Task<List<double>> AskAsync(string path)
        {
            var answers = new List<double>();
            for (var i = 0; i < InRound; i++)
            {
                var (since, until, application) = Window();
                answers.Add(await GetAsync($"/apps/{application}/stats/{path}{(path.Contains('?') ? '&' : '?')}since={since}&until={until}"));
            }
            return answers;
        }

        async Task<double> GetAsync(string path)
        {
            var watch = Stopwatch.StartNew();
            using var answer = await host.Http.GetAsync(path);
            await answer.Content.ReadAsByteArrayAsync();
            if (!answer.IsSuccessStatusCode) report.Fault($"{path} was answered {(int)answer.StatusCode}");
            return watch.Elapsed.TotalMilliseconds;
        }

        async Task PagesAsync()
        {
            var deep = events / Applications / 2;
            var (first, far) = (new List<IReadOnlyList<double>>(), new List<IReadOnlyList<double>>());
            for (var round = 0; round < Rounds; round++)
                foreach (var (rounds, offset) in new[] { (first, 0), (far, deep) })
                {
                    var answers = new List<double>();
                    for (var i = 0; i < InRound; i++) answers.Add(await GetAsync($"/apps/1/events?limit=20&offset={(offset == 0 ? 0 : offset + random.Next(10_000))}"));
                    rounds.Add(answers);
                }
            report.Add("a page at offset 0", first.Describe());
            report.Add($"a page at offset {deep:N0}", far.Describe(), $"offset 0: {far.SelectMany(t => t).Median() / first.SelectMany(t => t).Median():0.0}×");
        }

        async Task SizesAsync()
        {
            async Task<double> MegabytesAsync(string tables) =>
                await host.ScalarAsync<long>($"select sum(pg_total_relation_size(format('errortracker.%I', tablename)))::bigint from pg_tables where schemaname = 'errortracker' and {tables}") / 1e6 / events * 1e6;
            var (counters, log) = (await MegabytesAsync("tablename ~ '^(level|message|open)_'"), await MegabytesAsync("tablename in ('mt_events', 'mt_streams')"));
            report.Add("counters, per million events", $"{counters:N0} MB", $"the log {log:N0} MB: {counters / log:0.00}×");
        }
    }
}
