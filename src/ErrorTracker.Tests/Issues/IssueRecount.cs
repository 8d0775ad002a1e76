using System.Text.Json;
using ErrorTracker.Issues;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Issues;

/// <summary>Compares all that is answered about the issues of an application with an oracle's count of the log.</summary>
internal sealed class IssueRecount(TestApi api, Sender sender, IssueOracle oracle, RandomErrors random)
{
    private static readonly string[] Sorts = ["last_seen", "first_seen", "count"];

    private string App => $"/apps/{sender.Id}";

    /// <summary>A list read page by page, one issue and the statistics, each over windows of its own.</summary>
    /// <param name="hasTexts">What issues are called has been looked at since their last events.</param>
    public async Task AssertAsync(int windows, bool hasTexts)
    {
        foreach (var sort in Sorts) await ListAsync(IssueListQuery.Everything with { Sort = sort });
        await ReleasesAsync();
        for (var i = 0; i < windows; i++)
        {
            var window = Window();
            await ListAsync(Query(window, hasTexts));
            await TopMessagesAsync(Whole(window), null);
            if (oracle.Count == 0) continue;
            var number = 1 + random.Next(oracle.Count);
            await IssueAsync(number, window);
            await EventsAsync(number, window);
            await TopMessagesAsync(Whole(window), number);
            await SeriesAsync(number, Whole(window));
        }
        if (oracle.Count > 0) await SumsAsync();
    }

    /// <summary>With both ends, or only one, or none.</summary>
    private Window Window()
    {
        var (a, b) = (random.Instant(), random.Instant());
        var (since, until) = a < b ? (a, b) : (b, a.AddMicroseconds(1));
        var everything = ErrorTracker.Windows.Window.Everything;
        return random.Next(6) switch
        {
            0 => new(since, everything.Until),
            1 => new(everything.Since, until),
            2 when oracle.Events.Any() => AtAnEvent(),
            _ => new(since, until),
        };
    }

    /// <summary>That begins, or ends, with the very moment of an event.</summary>
    private Window AtAnEvent()
    {
        var at = random.OneOf(oracle.Events.ToArray()).At;
        return random.Next(2) == 0 ? new(at, at.AddHours(7)) : new(at.AddHours(-7), at);
    }

    /// <summary>Statistics want both ends.</summary>
    private static Window Whole(Window window) => new(
        window.Since > DateTimeOffset.MinValue ? window.Since : RandomErrors.Start.AddDays(-1),
        window.Until < DateTimeOffset.MaxValue ? window.Until : RandomErrors.Start.AddDays(9));

    private IssueListQuery Query(Window window, bool hasTexts) => new(
        window, random.OneOf(Sorts),
        random.Next(3) == 0 ? random.Level() : null,
        hasTexts && random.Next(4) == 0 ? random.Word() : null,
        random.Next(4) == 0 && random.Release() is { Length: > 0 } release ? release : null,
        random.Next(4) == 0 && random.Environment() is { Length: > 0 } environment ? environment : null);

    private async Task ListAsync(IssueListQuery asked)
    {
        var url = $"{App}/issues?{asked.ToUrl()}";
        var limit = 3 + random.Next(9);
        var listed = new List<IssueOracle.Shown>();
        string? cursor = null;
        do
        {
            var page = await api.GetAsync<IssuePage>($"{url}&limit={limit}{(cursor is null ? "" : $"&cursor={cursor}")}");
            listed.AddRange(page.Items.Select(IssueOracle.Shown.Of));
            cursor = page.NextCursor;
            Assert.True(cursor is null || page.Items.Count == limit, $"a short page in the middle of {url}");
        }
        while (cursor is not null);
        Same(oracle.List(asked), listed, $"{url}&limit={limit}");
    }

    private async Task IssueAsync(int number, Window window)
    {
        var ends = new List<string>();
        if (window.Since > DateTimeOffset.MinValue) ends.Add($"since={IssueListQuery.Written(window.Since)}");
        if (window.Until < DateTimeOffset.MaxValue) ends.Add($"until={IssueListQuery.Written(window.Until)}");
        var url = $"{App}/issues/{number}?interval=HOUR&{string.Join('&', ends)}";
        var answered = await api.GetAsync<IssueDetails>(url);
        var issue = oracle.IssueOf(number);
        var shown = oracle.Show(issue, window);
        Assert.Equal(shown, new(
            answered.Number, answered.Title, answered.Level, answered.FirstSeen, answered.LastSeen, answered.Count,
            answered.CountInWindow, string.Join(' ', answered.Keys)));

        var events = oracle.EventsOf(issue).Where(e => IssueOracle.Holds(window, e)).ToList();
        Same(Counted(events, e => e.Level), answered.ByLevel.Select(row => (row.Level, row.Count)), url);
        Same(Counted(events, e => e.Release), answered.ByRelease.Select(row => (row.Release ?? "", row.Count)), url);
        Same(
            Counted(events, e => e.Environment),
            answered.ByEnvironment.Select(row => (row.Environment ?? "", row.Count)), url);
        Same(Series(events, "HOUR"), answered.Series.Select(row => (row.BucketStart, row.Count)), url);
    }

    private async Task EventsAsync(int number, Window window)
    {
        var level = random.Next(3) == 0 ? random.Level() : null;
        var (limit, offset) = (1 + random.Next(50), random.Next(3) == 0 ? random.Next(400) : random.Next(20));
        var whole = Whole(window);
        var url =
            $"{App}/issues/{number}/events?limit={limit}&offset={offset}&since={IssueListQuery.Written(whole.Since)}"
            + $"&until={IssueListQuery.Written(whole.Until)}{(level is null ? "" : $"&level={level}")}";
        var answered = await api.GetAsync(url);
        var events = oracle.EventsOf(oracle.IssueOf(number))
            .Where(e => IssueOracle.Holds(whole, e) && (level is null || e.Level == level))
            .OrderByDescending(e => e.At).ThenByDescending(e => e.Sequence).ToList();
        Same(
            events.Skip(offset).Take(limit).Select(e => e.Id),
            answered.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("id").GetGuid()), url);
        var next = answered.GetProperty("next_offset").Deserialize<int?>();
        Assert.True((events.Count > offset + limit ? offset + limit : null) == next, $"next_offset {next} of {url}");
    }

    private async Task TopMessagesAsync(Window window, int? number)
    {
        var level = random.Next(3) == 0 ? random.Level() : null;
        var url = $"{App}/stats/top-messages?limit=100&{Ends(window)}{Issue(number)}{(level is null ? "" : $"&level={level}")}";
        var answered = await api.GetAsync<FrequentMessages>(url);
        var messages =
            from e in oracle.Events
            where IssueOracle.Holds(window, e) && (level is null || e.Level == level)
            where number is not { } asked || oracle.IssueOf(e) == oracle.IssueOf(asked)
            group e by e.Message into same
            let newest = IssueOracle.Newest(same)
            select new FrequentMessage(
                same.Key, same.Count(), same.Min(e => e.At), same.Max(e => e.At), oracle.IssueOf(newest));
        Same(InOrder(messages), answered.Items, url);
    }

    private async Task SeriesAsync(int number, Window window)
    {
        var level = random.Next(3) == 0 ? random.Level() : null;
        var interval = random.OneOf("MINUTE", "HOUR", "DAY");
        var url =
            $"{App}/stats/timeseries?interval={interval}&{Ends(window)}{Issue(number)}"
            + (level is null ? "" : $"&level={level}");
        if (interval == "MINUTE" && window.Until - window.Since > TimeSpan.FromDays(6)) return;
        var answered = await api.GetAsync<Series>(url);
        var events = oracle.EventsOf(oracle.IssueOf(number))
            .Where(e => IssueOracle.Holds(window, e) && (level is null || e.Level == level));
        Same(Series(events, interval), answered.Buckets.Select(row => (row.BucketStart, row.Count)), url);

        url = $"{App}/stats/by-level?{Ends(window)}{Issue(number)}";
        var levels = await api.GetAsync<LevelCounts>(url);
        var all = oracle.EventsOf(oracle.IssueOf(number)).Where(e => IssueOracle.Holds(window, e));
        Same(Counted(all, e => e.Level), levels.Items.Select(row => (row.Level, row.Count)), url);
    }

    /// <summary>In a zone whose hours are no whole ones of UTC, all issues together are what is counted without them.</summary>
    private async Task SumsAsync()
    {
        if (oracle.Events.Any(e => oracle.NumberOf(e) is null)) return;
        foreach (var interval in new[] { random.OneOf("HOUR", "DAY") })
        {
            var url = $"{App}/stats/timeseries?interval={interval}&tz=Asia/Kathmandu&{Ends(Whole(Window()))}";
            var sums = new SortedDictionary<DateTimeOffset, long>();
            foreach (var issue in oracle.Issues)
                foreach (var bucket in (await api.GetAsync<Series>(url + Issue(issue))).Buckets)
                    sums[bucket.BucketStart] = sums.GetValueOrDefault(bucket.BucketStart) + bucket.Count;
            var all = await api.GetAsync<Series>(url);
            Same(all.Buckets.Select(row => (row.BucketStart, row.Count)), sums.Select(row => (row.Key, row.Value)), url);
        }
    }

    private async Task ReleasesAsync()
    {
        var answered = await api.GetAsync<SeenReleases>($"{App}/releases");
        var releases =
            from e in oracle.Events
            where e.Release.Length > 0
            group e by e.Release into same
            orderby same.Min(e => e.At) descending, same.Key descending
            select new SeenRelease(same.Key, same.Min(e => e.At), same.Max(e => e.At), same.Count());
        Same(releases, answered.Items, "releases");
    }

    private static string Ends(Window window) =>
        $"since={IssueListQuery.Written(window.Since)}&until={IssueListQuery.Written(window.Until)}";

    private static string Issue(int? number) => number is { } asked ? $"&issue={asked}" : "";

    private static IEnumerable<(string, long)> Counted(IEnumerable<LoggedEvent> events, Func<LoggedEvent, string> by) =>
        events.GroupBy(by).Select(same => (Name: same.Key, Count: (long)same.Count()))
            .OrderByDescending(row => row.Count).ThenBy(row => row.Name, StringComparer.Ordinal);

    private static IEnumerable<(DateTimeOffset, long)> Series(IEnumerable<LoggedEvent> events, string interval)
    {
        var length = interval switch
        {
            "MINUTE" => TimeSpan.TicksPerMinute,
            "HOUR" => TimeSpan.TicksPerHour,
            _ => TimeSpan.TicksPerDay,
        };
        return events.GroupBy(e => e.At.Ticks / length * length).OrderBy(same => same.Key)
            .Select(same => (new DateTimeOffset(same.Key, TimeSpan.Zero), (long)same.Count()));
    }

    private static void Same<T>(IEnumerable<T> expected, IEnumerable<T> answered, string what)
    {
        var (all, got) = (expected.ToList(), answered.ToList());
        if (all.SequenceEqual(got)) return;
        Assert.Fail(
            $"""
            {what}
            {all.Count} expected, {got.Count} answered; the first that differ:
            expected {string.Join("; ", all.Except(got).Take(3))}
            answered {string.Join("; ", got.Except(all).Take(3))}
            """);
    }

    /// <summary>By count, then the last seen, then the message.</summary>
    private static IEnumerable<FrequentMessage> InOrder(IEnumerable<FrequentMessage> messages) => messages
        .OrderByDescending(row => row.Count).ThenByDescending(row => row.LastSeen)
        .ThenBy(row => row.Message, StringComparer.Ordinal);
}
