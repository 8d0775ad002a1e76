using System.Text.Json;
using ErrorTracker.Issues;
using ErrorTracker.Statistics;

namespace ErrorTracker.Tests.Issues;

/// <summary>Issues over HTTP: what a new event shows at once, what is not found, and what is wrong with a request.</summary>
[Collection(nameof(OnPostgres))]
public sealed class ListIssuesTests(SharedApi shared)
{
    private const string Always = "since=2020-01-01&until=2100-01-01";

    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task an_issue_is_called_after_its_newest_event_at_once()
    {
        var sender = await _api.RegisterAsync();
        foreach (var (level, text, function) in new[]
        {
            ("ERROR", "Order 1 failed", "Pay"), ("WARNING", "Order 2 was late", "Pay"), ("CRITICAL", "No order", "Pay"),
        })
        {
            await SendAsync(sender, level, text, function);
            await ListedAsync(sender, 1);
            var listed = (await ListAsync(sender)).Items.Single();
            Assert.Equal(($"OrderError: {text}", "OrderError", level), (listed.Title, listed.Type, listed.Level));
            Assert.Contains(function, listed.Place);
            var read = await _api.GetAsync<IssueDetails>($"/apps/{sender.Id}/issues/1");
            Assert.Equal((listed.Title, listed.Type, listed.Level, listed.Place), (read.Title, read.Type, read.Level, read.Place));
            Assert.Equal((listed.Count, listed.LastSeen), (read.Count, read.LastSeen));
            Assert.Single((await ListAsync(sender, $"level={level}")).Items);
        }
        Assert.Empty((await ListAsync(sender, "level=ERROR")).Items);
        Assert.Equal(3, (await ListAsync(sender)).Items[0].Count);
    }

    /// <summary>An event too long to be read for a title of which one is stored still shows its level.</summary>
    [Fact]
    public async Task an_event_that_is_large_shows_its_level_and_a_first_one_its_title()
    {
        var sender = await _api.RegisterAsync();
        var noise = new string([.. Enumerable.Range(0, 300_000).Select(i => (char)('0' + i * 7919 % 8191 % 10))]);
        await SendAsync(sender, "ERROR", "first", "Pay", noise);
        await ListedAsync(sender, 1);
        Assert.Equal("OrderError: first", (await ListAsync(sender)).Items[0].Title);
        await SendAsync(sender, "INFO", "second", "Pay", noise);
        var listed = (await ListAsync(sender)).Items.Single();
        Assert.Equal(("INFO", 2L), (listed.Level, listed.Count));
    }

    [Fact]
    public async Task the_number_of_an_issue_that_was_merged_answers_the_one_it_is_in()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender, message: "paper jam");
        await ListedAsync(sender, 1);
        await _api.ReportAsync(sender, message: "out of ink");
        await ListedAsync(sender, 2);
        await _api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/issues/merge", 200, """{"into": 2, "issues": [1]}""");

        foreach (var number in new[] { 1, 2 })
        {
            var read = await _api.GetAsync<IssueDetails>($"/apps/{sender.Id}/issues/{number}");
            Assert.Equal((2, 2L, "out of ink"), (read.Number, read.Count, read.Title));
            var events = await _api.GetAsync($"/apps/{sender.Id}/issues/{number}/events");
            Assert.Equal(2, events.GetProperty("items").GetArrayLength());
            var levels = await _api.GetAsync<LevelCounts>($"/apps/{sender.Id}/stats/by-level?{Always}&issue={number}");
            Assert.Equal([new LevelCount("ERROR", 2)], levels.Items);
        }
        Assert.Equal([2], (await ListAsync(sender)).Items.Select(item => item.Number));
        var messages = await _api.GetAsync<FrequentMessages>($"/apps/{sender.Id}/stats/top-messages?{Always}");
        Assert.Equal([2, 2], messages.Items.Select(item => item.Issue));
        var first = (await _api.GetAsync($"/apps/{sender.Id}/issues/1/events")).GetProperty("items")[1];
        var why = await _api.GetAsync<GroupingExplained>($"/apps/{sender.Id}/events/{first.GetProperty("id")}/grouping");
        Assert.Equal(2, why.Issue);
    }

    [Fact]
    public async Task an_application_without_events_has_no_issues_and_what_is_unknown_is_not_found()
    {
        var sender = await _api.RegisterAsync();
        foreach (var query in new[] { "", "sort=count", "sort=first_seen&level=INFO", "query=x+release:1&since=2026-01-01" })
        {
            var page = await ListAsync(sender, query);
            Assert.Empty(page.Items);
            Assert.Null(page.NextCursor);
        }
        Assert.Empty((await _api.GetAsync<SeenReleases>($"/apps/{sender.Id}/releases")).Items);
        foreach (var call in new[] { "issues/1", "issues/1/events", "issues/2147483647", $"events/{Guid.NewGuid()}/grouping" })
            await _api.GetAsync($"/apps/{sender.Id}/{call}", 404);
        Assert.Empty((await _api.GetAsync<LevelCounts>($"/apps/{sender.Id}/stats/by-level?{Always}&issue=1")).Items);
        foreach (var call in new[] { "issues", "issues/1", "issues/1/events", "releases" })
            await _api.GetAsync($"/apps/{int.MaxValue}/{call}", 404);
    }

    [Fact]
    public async Task other_states_than_unresolved_have_no_issues_yet()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        await ListedAsync(sender, 1);
        foreach (var (state, issues) in new[] { ("unresolved", 1), ("all", 1), ("resolved", 0), ("ignored", 0), ("regressed", 0) })
            Assert.Equal(issues, (await ListAsync(sender, $"state={state}")).Items.Count);
    }

    [Theory]
    [InlineData("issues?sort=seen", "sort")]
    [InlineData("issues?sort=LAST_SEEN", "sort")]
    [InlineData("issues?state=open", "state")]
    [InlineData("issues?level=LOUD", "level")]
    [InlineData("issues?limit=0", "limit")]
    [InlineData("issues?limit=101", "limit")]
    [InlineData("issues?limit=1%00", "limit")]
    [InlineData("issues?offset=1", "offset")]
    [InlineData("issues?cursor=", "cursor")]
    [InlineData("issues?cursor=%00", "cursor")]
    [InlineData("issues?cursor=Y291bnR8MXwxfDF8MXw", "cursor")]
    [InlineData("issues?query=%00", "query")]
    [InlineData("issues?since=then&until=now", "since,until")]
    [InlineData("issues?since=2026-01-02&until=2026-01-01", "since")]
    [InlineData("issues?Sort=count&limit=1&limit=2", "Sort,limit")]
    [InlineData("issues/0", "number")]
    [InlineData("issues/-1", "number")]
    [InlineData("issues/1%00", "number")]
    [InlineData("issues/one", "number")]
    [InlineData("issues/99999999999", "number")]
    [InlineData("issues/1?interval=WEEK&tz=Mars", "interval,tz")]
    [InlineData("issues/x?since=no&limit=1", "limit,number,since")]
    [InlineData("issues/0/events?limit=51&offset=-1&level=x", "level,limit,number,offset")]
    [InlineData("stats/by-level?since=2026-01-01&until=2026-02-01&issue=0", "issue")]
    [InlineData("stats/timeseries?since=2026-01-01&until=2026-02-01&issue=x", "issue")]
    [InlineData("stats/top-messages?since=2026-01-01&until=2026-02-01&issue=1%00", "issue")]
    [InlineData("releases?limit=101&sort=1", "limit,sort")]
    public async Task what_is_wrong_is_named(string call, string fields)
    {
        var sender = await _api.RegisterAsync();
        var refused = await _api.GetAsync<Refused>($"/apps/{sender.Id}/{call}", 400);
        Assert.Equal(fields, refused.Fields);
    }

    /// <summary>Whatever is searched for is found or not: it is text, and no part of any statement.</summary>
    [Fact]
    public async Task hostile_texts_are_searched_for_as_they_are()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender, message: "it's 100% \\ \"broken\" ' -- Ünïcödé ΣΑΣ");
        await ListedAsync(sender, 1);
        await _api.FoldedAsync();
        foreach (var (query, found) in new[]
        {
            ("it's", 1), ("100%", 1), ("%", 1), ("_", 0), ("\\", 1), ("\"broken\"", 1), ("--", 1), ("'", 1),
            ("ünïcödé", 1), ("ÜNÏCÖDÉ", 1), ("'; drop table x; --", 0), ("\ud83d\ude00", 0), ("$1", 0), ("@tenant", 0),
            ("release:", 1), ("environment:'", 0), ("release:\u0001", 0), ("{}", 0), ("\u202e", 0), ("   ", 1), ("", 1),
            (new string('a', 500), 0), (string.Join(' ', Enumerable.Repeat("it's", 20)), 1),
        })
        {
            var page = await ListAsync(sender, $"query={Uri.EscapeDataString(query)}");
            Assert.True(found == page.Items.Count, $"{query} found {page.Items.Count}");
        }
        foreach (var query in new[] { new string('a', 501), string.Join(' ', Enumerable.Repeat("a", 21)) })
            Assert.Equal("query", (await _api.GetAsync<Refused>($"/apps/{sender.Id}/issues?query={query}", 400)).Fields);
    }

    /// <summary>Somebody may write a cursor, at any place and time: it is read on from there, or refused.</summary>
    [Fact]
    public async Task a_cursor_that_somebody_has_made_up_does_no_harm()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        await ListedAsync(sender, 1);
        foreach (var sort in IssueSort.All)
            foreach (var (place, time, value) in new (long, DateTimeOffset, long)[]
            {
                (0, DateTimeOffset.MinValue, 0), (long.MaxValue, DateTimeOffset.MaxValue, DateTimeOffset.MaxValue.Ticks),
                (0, DateTimeOffset.MaxValue, 1), (long.MaxValue, DateTimeOffset.MinValue.AddTicks(1), 10),
            })
            {
                long[] unseen = place == 0 ? [] : [.. Enumerable.Range(1, 500)];
                var cursor = new IssueCursor(sort, place, unseen, time, value, int.MaxValue);
                foreach (var more in new[] { "", "&level=ERROR&query=boom%20release:1" })
                    await ListAsync(sender, $"sort={sort.Name}&cursor={cursor.ToText()}{more}");
            }
    }

    /// <summary>The ends of time are no windows of an issue's own: it is asked for no more buckets than it has.</summary>
    [Theory]
    [InlineData("since=0001-01-01&until=9999-12-31T23:59:59.999999Z&tz=Europe/Berlin&interval=MINUTE", 1)]
    [InlineData("since=0001-01-01&tz=Australia/Lord_Howe", 1)]
    [InlineData("until=9999-12-31T23:59:59.999999Z&interval=DAY&tz=Asia/Kathmandu", 1)]
    [InlineData("until=0001-01-01", 0)]
    [InlineData("until=2026-01-01", 0)]
    [InlineData("since=9999-12-31T23:59:59.999999Z", 0)]
    [InlineData("since=2026-01-01&until=2026-01-02", 0)]
    public async Task an_issue_is_read_over_any_window(string window, int buckets)
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        await ListedAsync(sender, 1);
        var read = await _api.GetAsync<IssueDetails>($"/apps/{sender.Id}/issues/1?{window}");
        Assert.Equal((1L, buckets, buckets), (read.Count, read.Series.Count, read.CountInWindow));
        Assert.Equal(buckets, read.ByRelease.Count);
    }

    [Fact]
    public async Task a_series_of_too_many_buckets_is_refused()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAtAsync(sender, new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero));
        await _api.ReportAtAsync(sender, new(2026, 3, 9, 0, 0, 0, TimeSpan.Zero));
        _api.Clock.Now = null;
        await ListedAsync(sender, 1);
        var refused = await _api.GetAsync<Refused>($"/apps/{sender.Id}/issues/1?interval=MINUTE", 400);
        Assert.Equal("interval", refused.Fields);
        var read = await _api.GetAsync<IssueDetails>($"/apps/{sender.Id}/issues/1?interval=MINUTE&since=2026-03-05");
        Assert.Equal((1L, "MINUTE"), (read.CountInWindow, read.Interval));
        Assert.Equal("HOUR", (await _api.GetAsync<IssueDetails>($"/apps/{sender.Id}/issues/1")).Interval);
    }

    /// <summary>Lists are whole while events arrive: nothing is counted twice, and nothing that was answered is missing.</summary>
    [Fact]
    public async Task while_events_arrive_lists_count_each_once()
    {
        var sender = await _api.RegisterAsync();
        var sent = 0;
        using var done = new CancellationTokenSource();
        var sending = Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await _api.ReportAsync(sender, message: $"paper jam in {(char)('a' + i)}");
                Interlocked.Increment(ref sent);
            }
        })));
        await ListedAsync(sender, 4);
        for (var i = 0; i < 25; i++)
        {
            var least = Volatile.Read(ref sent);
            var page = await ListAsync(sender, "sort=count");
            Assert.InRange(page.Items.Sum(item => item.Count), least, Volatile.Read(ref sent) + 4);
            Assert.Equal([1, 2, 3, 4], page.Items.Select(item => item.Number).Order());
        }
        await done.CancelAsync();
        await sending;
        Assert.Equal(sent, (await ListAsync(sender)).Items.Sum(item => item.Count));
    }

    private Task<IssuePage> ListAsync(Sender sender, string query = "") =>
        _api.GetAsync<IssuePage>($"/apps/{sender.Id}/issues?{query}");

    /// <summary>Waits until nothing before the first event of an issue is still being written.</summary>
    private Task ListedAsync(Sender sender, int issues) => Eventually.Async(
        async () => (await ListAsync(sender)).Items.Count == issues, $"{issues} issues are listed");

    private Task<JsonElement> SendAsync(
        Sender sender, string level, string text, string function, string noise = "")
    {
        var stack = new
        {
            type = "OrderError",
            frames = new[] { new { file = "shop.py", function, module = "shop", line = 7, in_app = true } },
        };
        var body = JsonSerializer.Serialize(new
        {
            occurred_at = "2026-01-31T12:00:00Z", level, message = text, stack, context = new { noise },
        });
        return _api.PostEventAsync(sender, body, 201);
    }
}
