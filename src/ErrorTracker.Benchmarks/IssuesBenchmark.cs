using System.Diagnostics;
using System.Text.Json;
using ErrorTracker.Counters;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// What does it cost to look at issues and to decide about them: lists, one issue, its events, merge and split, other
/// rules, and the statistics of one issue? All of it on one application with 20,000 issues.
/// </summary>
internal sealed class IssuesBenchmark(Host host, Sender sender, int events, Report report)
{
    private const int Rounds = 5, InRound = 40, Merges = 15, PageOfEvents = 20, FarPage = 1_000;

    /// <summary>They part the issues of one kind by environment, and make one issue of all about orders.</summary>
    private const string OtherRules =
        """
        {"fingerprints": [
          {"match": {"type": "Timeout*"}, "parts": ["{{ default }}", "{{ environment }}"]},
          {"match": {"message": "* order: *"}, "parts": ["orders"]}]}
        """;

    private static readonly string[] Sorts = ["last_seen", "first_seen", "count"];

    private readonly Random _random = new(5);
    private readonly DateTime _newest = DateTime.UtcNow;

    public static async Task RunAsync(int events, Report report)
    {
        await using var host = await Host.StartAsync();
        var sender = await host.RegisterAsync("bench");
        var benchmark = new IssuesBenchmark(host, sender, events, report);
        await benchmark.FillAsync();
        await IssueSizes.ReportAsync(host, events, $"{events:N0} events of {IssueErrors.Issues:N0} issues", report);
        await benchmark.MeasureListsAsync();
        await benchmark.MeasureOneAsync();
        await benchmark.MeasureEventsAsync();
        await benchmark.MeasureStatisticsAsync();
        await benchmark.MeasureDecisionsAsync();
        await benchmark.MeasureRulesAsync();
        await IssueSizes.MeasureDifferentMessagesAsync(report);
    }

    private async Task FillAsync()
    {
        var errors = new IssueErrors(events, _newest.AddDays(-IssueErrors.Days));
        var filling = await FilledLog.WriteAsync(host, sender, events, errors.Take);
        await host.ClosedAsync();
        await host.TimeAsync("vacuum analyze");
        var issues = await host.ScalarAsync<long>($"select count(*) from {CounterTables.Current.Groups}");
        if (issues != IssueErrors.Issues) report.Fault($"there are {issues} issues instead of {IssueErrors.Issues}");
        report.Add(
            $"filling a log with {events:N0} events of {IssueErrors.Issues:N0} issues, and folding it",
            $"{events / filling.TotalSeconds:N0} events/s ({filling.TotalSeconds:0} s)");
    }

    private async Task MeasureListsAsync()
    {
        List<(string What, Func<Task<double>> Ask)> questions = [];
        foreach (var sort in Sorts)
        {
            questions.Add(($"{sort}, 30 days until now", () => GetAsync(ListOf(sort, WindowUntilNow()))));
            questions.Add(($"{sort}, a ragged window", () => GetAsync(ListOf(sort, RaggedWindow()))));
            questions.Add(($"{sort}, 30 days until now, page 2", () => GetSecondPageAsync(sort, WindowUntilNow())));
            questions.Add(($"{sort}, a ragged window, page 2", () => GetSecondPageAsync(sort, RaggedWindow())));
        }
        questions.Add(("count, all of time", () => GetAsync($"{Issues}?limit=50&sort=count")));
        questions.Add((
            "last_seen, 30 days until now, with a word and a release",
            () => GetAsync(ListOf("last_seen", $"query=payment+release:2.9.0&{WindowUntilNow()}"))));

        var times = await InTurnsAsync(questions);
        foreach (var (what, rounds) in times)
            report.Add($"issues, 50 of {IssueErrors.Issues:N0}, by {what}", rounds.Describe());
    }

    private async Task MeasureOneAsync()
    {
        var (big, small) = (await NumberAtAsync(0), await NumberAtAsync(IssueErrors.Issues / 2));
        var times = await InTurnsAsync(
        [
            ($"the issue with most events ({await CountAsync(big):N0})", () => GetAsync($"{Issues}/{big}")),
            ("the same in a ragged window", () => GetAsync($"{Issues}/{big}?{RaggedWindow()}")),
            ($"an issue with few events ({await CountAsync(small):N0})", () => GetAsync($"{Issues}/{small}")),
        ]);
        foreach (var (what, rounds) in times)
            report.Add($"{what}, with series, levels, releases, environments", rounds.Describe());
    }

    private async Task MeasureEventsAsync()
    {
        var big = await NumberAtAsync(0);
        var far = (int)Math.Min((FarPage - 1) * PageOfEvents, await CountAsync(big) / 2);
        var page = far / PageOfEvents + 1;
        var (ofIssue, ofAll) = ($"{Issues}/{big}/events?limit={PageOfEvents}", $"{Events}?limit={PageOfEvents}");
        var times = await InTurnsAsync(
        [
            ("the first page of all events", () => GetAsync(ofAll)),
            ("the first page of an issue's events", () => GetAsync(ofIssue)),
            ($"page {page:N0} of all events", () => GetAsync($"{ofAll}&offset={far}")),
            ($"page {page:N0} of an issue's events", () => GetAsync($"{ofIssue}&offset={far}")),
        ]);
        var (allFirst, first, allFar, other) = (times[0], times[1], times[2], times[3]);
        ReportRatio(first, allFirst);
        ReportRatio(other, allFar);

        void ReportRatio(Times issue, Times all) => report.Add(
            issue.What, issue.Rounds.Describe(),
            $"{all.What} {Median(all.Rounds):0.0} ms: {Median(issue.Rounds) / Median(all.Rounds):0.0}×");
    }

    private async Task MeasureStatisticsAsync()
    {
        var big = await NumberAtAsync(0);
        string[] statistics = ["by-level?", "timeseries?interval=HOUR&", "top-messages?"];
        foreach (var statistic in statistics)
        {
            string Path(string more) => $"/apps/{sender.Id}/stats/{statistic}{more}{RaggedWindow()}";
            var times = await InTurnsAsync(
            [
                ("all", () => GetAsync(Path(""))),
                ("one issue", () => GetAsync(Path($"issue={big}&"))),
            ]);
            report.Add(
                $"{statistic[..statistic.IndexOf('?')]} of the issue with most events, a ragged window",
                times[1].Rounds.Describe(), $"of all {IssueErrors.Issues:N0} issues: {times[0].Rounds.Describe()}");
        }
    }

    /// <summary>The two issues with most events become one and two again, over and over.</summary>
    private async Task MeasureDecisionsAsync()
    {
        var (into, other) = (await NumberAtAsync(0), await NumberAtAsync(1));
        var key = (await ReadAsync($"{Issues}/{other}")).GetProperty("keys")[0].GetString();
        var sum = await CountAsync(into) + await CountAsync(other);
        List<double> merges = [], splits = [];
        for (var i = 0; i <= Merges; i++)
        {
            var merge = await PostAsync($"{Issues}/merge", $$"""{"into": {{into}}, "issues": [{{other}}]}""");
            if (await CountAsync(into) != sum) report.Fault("the merged issue has not the sum of both");
            var split = await PostAsync($"{Issues}/{into}/split", $$"""{"keys": ["{{key}}"]}""");
            if (await CountAsync(into) + await CountAsync(other) != sum) report.Fault("the split lost events");
            if (i == 0) continue; // it warms
            merges.Add(merge);
            splits.Add(split);
        }
        report.Add($"merge of the two issues with most events ({sum:N0})", Describe(merges));
        report.Add($"split of the two issues with most events ({sum:N0})", Describe(splits));
    }

    private async Task MeasureRulesAsync()
    {
        var before = await FirstPageAsync();
        var (previewing, preview) = await ChangeAsync(
            HttpMethod.Post, "/preview", $$"""{"rules": {{OtherRules}}}""");
        var result = preview.GetProperty("result");
        if (result.GetProperty("events").GetInt64() != events) report.Fault("the preview has not counted all events");
        report.Add(
            $"preview of other rules over {events:N0} events",
            $"{events / previewing.TotalSeconds:N0} events/s ({previewing.TotalSeconds:0.0} s)",
            $"{result.GetProperty("merged")} issues would merge, {result.GetProperty("split")} split");

        var (adopting, _) = await ChangeAsync(HttpMethod.Put, "", OtherRules);
        report.Add(
            $"adoption of these rules over {events:N0} events",
            $"{events / adopting.TotalSeconds:N0} events/s ({adopting.TotalSeconds:0.0} s)");
        if (await FirstPageAsync() == before) report.Fault("the adopted rules have changed nothing");
        var (withdrawing, _) = await ChangeAsync(HttpMethod.Delete, "", null);
        report.Add($"withdrawal of these rules over {events:N0} events", $"{withdrawing.TotalSeconds:0.0} s");
        if (await FirstPageAsync() != before) report.Fault("issues are not as they were before the adoption");
    }

    /// <summary>From the request until it is done, at which it is looked each 50 ms.</summary>
    private async Task<(TimeSpan Elapsed, JsonElement Change)> ChangeAsync(HttpMethod method, string path, string? body)
    {
        var watch = Stopwatch.StartNew();
        using var request = new HttpRequestMessage(method, $"/apps/{sender.Id}/grouping{path}");
        if (body is not null) request.Content = Json(body);
        using var begun = await host.Http.SendAsync(request);
        begun.EnsureSuccessStatusCode();
        while (true)
        {
            var change = await host.Http.GetFromJsonAsync<JsonElement>(begun.Headers.Location);
            var state = change.GetProperty("state").GetString();
            if (state == "done") return (watch.Elapsed, change);
            if (state == "failed") throw new InvalidOperationException($"The change failed: {change}");
            await Task.Delay(50);
        }
    }

    /// <summary>The issues with most events, as they are answered; without the place of the log.</summary>
    private async Task<string> FirstPageAsync() =>
        (await ReadAsync(ListOf("count", WindowUntilNow()))).GetProperty("items").GetRawText();

    /// <summary>Milliseconds, by round. The questions take turns.</summary>
    private static async Task<List<Times>> InTurnsAsync(IReadOnlyList<(string What, Func<Task<double>> Ask)> questions)
    {
        var times = questions.Select(question => new Times(question.What, [])).ToList();
        for (var round = 0; round <= Rounds; round++)
        {
            var answers = questions.Select(_ => new List<double>()).ToList();
            for (var i = 0; i < InRound; i++)
                foreach (var (number, question) in questions.Index()) answers[number].Add(await question.Ask());
            if (round == 0) continue; // it warms
            foreach (var (number, ofRound) in answers.Index()) times[number].Rounds.Add(ofRound);
        }
        return times;
    }

    private string Issues => $"/apps/{sender.Id}/issues";

    private string Events => $"/apps/{sender.Id}/events";

    private string ListOf(string sort, string window) => $"{Issues}?limit=50&sort={sort}&{window}";

    private string WindowUntilNow() =>
        $"since={Text(_newest.AddDays(-IssueErrors.Days))}&until={Text(DateTime.UtcNow)}";

    /// <summary>About all days, with ends that lie at no border of an hour.</summary>
    private string RaggedWindow()
    {
        var since = _newest.AddDays(-IssueErrors.Days).AddSeconds(_random.NextDouble() * 72_000);
        var until = _newest.AddSeconds(-_random.NextDouble() * 72_000);
        return $"since={Text(since)}&until={Text(until)}";
    }

    /// <summary>The number of the issue at this place, by its count.</summary>
    private Task<int> NumberAtAsync(int place) => host.ScalarAsync<int>(
        $"select number from {CounterTables.Current.Groups} order by count desc, number limit 1 offset {place}");

    private async Task<long> CountAsync(int number) =>
        (await ReadAsync($"{Issues}/{number}")).GetProperty("count").GetInt64();

    private async Task<double> GetSecondPageAsync(string sort, string window)
    {
        var list = ListOf(sort, window);
        var cursor = (await ReadAsync(list)).GetProperty("next_cursor").GetString();
        return await GetAsync($"{list}&cursor={cursor}");
    }

    private Task<JsonElement> ReadAsync(string path) => host.Http.GetFromJsonAsync<JsonElement>(path);

    private Task<double> GetAsync(string path) => TimeAsync(new(HttpMethod.Get, path));

    private Task<double> PostAsync(string path, string body) =>
        TimeAsync(new(HttpMethod.Post, path) { Content = Json(body) });

    /// <summary>How long an answer takes, in milliseconds.</summary>
    private async Task<double> TimeAsync(HttpRequestMessage request)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await host.Http.SendAsync(request);
        await answer.Content.ReadAsByteArrayAsync();
        if (!answer.IsSuccessStatusCode) report.Fault($"{request.RequestUri} was answered {(int)answer.StatusCode}");
        return watch.Elapsed.TotalMilliseconds;
    }

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    private static double Median(List<List<double>> rounds) => rounds.SelectMany(round => round).Median();

    private static string Describe(List<double> times) =>
        $"p50 {times.Median():0.0} ms ({times.Min():0.0}–{times.Max():0.0} of {times.Count})";

    private static string Text(DateTime at) => $"{at:yyyy-MM-ddTHH:mm:ss.ffffffZ}";

    /// <param name="What">Was asked.</param>
    /// <param name="Rounds">How long the answers took, in milliseconds.</param>
    private sealed record Times(string What, List<List<double>> Rounds);
}
