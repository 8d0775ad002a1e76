using System.Text.Json;
using ErrorTracker.Intake.Native;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnAnotherPostgres))]
public sealed class LossTests(SharedApi shared)
{
    private const string
        Id = "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10",
        Good = """{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""",
        Named = $$"""{"event_id":"{{Id}}","occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""",
        OneDropped = """{"discarded_events":[{"reason":"r","category":"c","quantity":1}]}""";

    private readonly TestApi _api = shared.Api;

    private OutcomeTally Tally => (OutcomeTally)_api.Host.Services.GetService(typeof(OutcomeTally))!;

    [Fact]
    public async Task what_is_received_is_accepted_duplicate_refused_or_not_kept_wherever_it_is_sent()
    {
        var sender = await _api.RegisterAsync();
        await _api.PostEventAsync(sender, Good, expected: 201);
        await _api.PostEventAsync(sender, Named, expected: 201);
        await _api.PostEventAsync(sender, Named, expected: 200);
        await _api.PostEventAsync(sender, Named.Replace("\"m\"", "\"other\""), expected: 409);
        await _api.PostEventAsync(sender, "{}", expected: 400);
        await _api.PostEventAsync(sender with { Key = "wrong" }, Good, expected: 403);
        await BatchAsync(sender, $"[{Good},{Named},{Named.Replace("ERROR", "INFO")},{{}},{Good}]", expected: 200);
        await BatchAsync(sender, "no array", expected: 400);
        await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"event\"}}\n{Good}", expected: 200);
        await EnvelopeAsync(sender, "{}\n{\"type\":\"event\"}\nno json", expected: 400);
        await EnvelopeAsync(sender, "{}\n{\"type\":\"session\"}\n{}", expected: 200);

        var loss = await LossAsync(sender);
        Assert.Equal(
            ["since", "until", "received", "accepted", "duplicates", "refused", "not_kept", "client_dropped"],
            loss.EnumerateObject().Select(member => member.Name));
        Assert.Equal("""[{"reason":"invalid","count":4},{"reason":"conflicting","count":2}]""", loss.Raw("refused"));
        Assert.Equal("""[{"category":"session","count":1}]""", loss.Raw("not_kept"));
        Assert.Equal((5, 2, 14), (loss.Count("accepted"), loss.Count("duplicates"), loss.Count("received")));
        Assert.Equal("[]", loss.Raw("client_dropped"));
    }

    [Fact]
    public async Task client_reports_are_added_up_and_leave_nothing_in_the_log()
    {
        var sender = await _api.RegisterAsync();
        const string Report =
            """{"timestamp":"2026-01-31T12:00:00.123Z","discarded_events":"""
            + """[{"reason":"network_error","category":"error","quantity":3}"""
            + """,{"reason":"sample_rate","category":"transaction","quantity":7},{"reason":"x"},{"quantity":-1},7]}""";
        for (var times = 0; times < 2; times++)
            await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"client_report\"}}\n{Report}\n", expected: 200);
        await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"event\"}}\n{Good}\n{{\"type\":\"client_report\"}}\n{Report}\n", expected: 200);
        const string Item = """{"type":"client_report"}""";
        await EnvelopeAsync(sender, $"{{}}\n{Item}\nno json\n{Item}\n{{\"discarded_events\":[]}}", expected: 200);

        var loss = await LossAsync(sender);
        Assert.Equal(
            """[{"reason":"sample_rate","category":"transaction","count":21},{"reason":"network_error","category":"error","count":9}]""",
            loss.Raw("client_dropped"));
        Assert.Equal("""[{"category":"client_report","count":1}]""", loss.Raw("not_kept"));
        Assert.Equal((2, 1), (loss.Count("received"), loss.Count("accepted")));
        Assert.Single((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
        Assert.Equal(1, await _api.ScalarAsync<long>($"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}'"));
    }

    /// <summary>
    /// As versions before this one wrote them: they are read and counted with those that are tallied.
    /// </summary>
    [Fact]
    public async Task reports_in_an_older_log_still_count()
    {
        var sender = await _api.RegisterAsync();
        await StoreOldAsync(
            _api, sender,
            """
            {"reason":"network_error","category":"error","quantity":3},
            {"reason":"sample_rate","category":"transaction","quantity":7}
            """);
        await ReportAsync(sender, ("network_error", "error", "2"));

        var loss = await LossAsync(sender);
        Assert.Equal(
            """[{"reason":"sample_rate","category":"transaction","count":7},{"reason":"network_error","category":"error","count":5}]""",
            loss.Raw("client_dropped"));
        Assert.Equal(0, loss.Count("received"));
        var store = (Marten.IDocumentStore)_api.Host.Services.GetService(typeof(Marten.IDocumentStore))!;
        await using var session = store.QuerySession($"{sender.Id}");
        var read = await Marten.QueryableExtensions.ToListAsync(session.Events.QueryRawEventDataOnly<LossReported>());
        Assert.Equal(7, Assert.Single(read).Dropped[1].Quantity);
    }

    [Fact]
    public async Task however_many_reasons_are_invented_the_answer_is_bounded_and_nothing_is_lost()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var first = await TestApi.StartAsync(connectionString);
        await using var second = await TestApi.StartAsync(connectionString);
        var sender = await first.RegisterAsync();
        for (var i = 0; i < 300; i++)
        {
            var (reason, api) = ($"{i}. {new string('r', 200)}", i % 2 == 0 ? first : second);
            var parts = Enumerable.Range(0, 20).Select(j => $$"""{"reason":"{{j}}.{{reason}}","category":"c{{j}}","quantity":2}""");
            var entries = string.Join(',', parts);
            await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"client_report\"}}\n{{\"discarded_events\":[{entries}]}}", expected: 200, api);
        }
        var old = string.Join(',', Enumerable.Range(0, 500).Select(i => $$"""{"reason":"old {{i}}","category":"c","quantity":1}"""));
        await StoreOldAsync(first, sender, old);

        await ((OutcomeTally)second.Host.Services.GetService(typeof(OutcomeTally))!).FlushAsync(default);
        var dropped = (await LossAsync(sender, api: first)).GetProperty("client_dropped").EnumerateArray().ToList();
        Assert.Equal(101, dropped.Count);
        Assert.Equal(300 * 20 * 2 + 500, dropped.Sum(pair => pair.GetProperty("count").GetInt64()));
        Assert.Equal(("other", "other"), (dropped[0].Text("reason"), dropped[0].Text("category")));
        Assert.All(dropped, pair => Assert.True(pair.Text("reason")!.Length <= 100));

        // Each node knows 100, and other.
        Assert.Equal(201, await first.ScalarAsync<long>($"select count(distinct (reason, category)) from {OutcomeTally.Table}"));
    }

    [Fact]
    public async Task quantities_beyond_what_a_number_holds_stop_at_the_largest()
    {
        var sender = await _api.RegisterAsync();
        foreach (var quantity in new[] { "9223372036854775807", "1e300", "5" })
        {
            await ReportAsync(sender, ("r", "c", quantity));
            await Tally.FlushAsync(default);
        }
        var dropped = Assert.Single((await LossAsync(sender)).GetProperty("client_dropped").EnumerateArray());
        Assert.Equal(long.MaxValue, dropped.GetProperty("count").GetInt64());
    }

    /// <summary>The table as versions before this one made it, with rows of theirs.</summary>
    [Fact]
    public async Task a_table_without_kinds_is_extended_when_a_host_starts_and_loses_no_row()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        Sender sender;
        await using (var first = await TestApi.StartAsync(connectionString))
        {
            sender = await first.RegisterAsync();
            await first.ScalarAsync<int>(
                $"""
                alter table {OutcomeTally.Table} drop column kind, drop column category;
                insert into {OutcomeTally.Table} (id, application_id, reason, at, count) values
                  (gen_random_uuid(), {sender.Id}, 'duplicate', now(), 3),
                  (gen_random_uuid(), {sender.Id}, 'invalid', now() - interval '2 days', 4);
                select 1
                """);
        }
        await using var second = await TestApi.StartAsync(connectionString);
        await second.PostEventAsync(sender, "{}", expected: 400);
        var loss = await second.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");
        Assert.Equal((8, 3), (loss.Count("received"), loss.Count("duplicates")));
        Assert.Equal("""[{"reason":"invalid","count":5}]""", loss.Raw("refused"));
        Assert.Equal("[]", loss.Raw("not_kept"));
    }

    [Fact]
    public async Task a_window_counts_what_was_received_in_it()
    {
        var sender = await _api.RegisterAsync();
        var times = new[] { 0, 1, 2 }.Select(hour => new DateTimeOffset(2026, 2, 1, hour, 0, 0, TimeSpan.Zero)).ToArray();
        foreach (var at in times)
        {
            _api.Clock.Now = at;
            await _api.PostEventAsync(sender, Good, expected: 201);
            await _api.PostEventAsync(sender, "{}", expected: 400);
            await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"client_report\"}}\n{OneDropped}", expected: 200);
            await Tally.FlushAsync(default);
        }
        _api.Clock.Now = null;
        var loss = await LossAsync(sender, "since=2026-02-01T01:00:00Z&until=2026-02-01T02:00:00Z");
        Assert.Equal((2, 1), (loss.Count("received"), loss.Count("accepted")));
        Assert.Equal("""[{"reason":"r","category":"c","count":1}]""", loss.Raw("client_dropped"));
    }

    /// <summary>
    /// Or a sender that is refused for years would fill the disk. A host looks after them when it starts, and every ten
    /// minutes.
    /// </summary>
    [Fact]
    public async Task of_refusals_older_than_a_day_a_row_is_left_for_each_minute()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        Sender sender;
        await using (var first = await TestApi.StartAsync(connectionString))
        {
            sender = await first.RegisterAsync();
            foreach (var seconds in new int?[] { 1, 2, 30, 61, 62, null })
            {
                first.Clock.Now = seconds is { } past ? new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero).AddSeconds(past) : null;
                await first.PostEventAsync(sender, "{}", expected: 400);
                await ((OutcomeTally)first.Host.Services.GetService(typeof(OutcomeTally))!).FlushAsync(default);
            }
        }
        await using var second = await TestApi.StartAsync(connectionString);
        await Eventually.Async(
            async () => await second.ScalarAsync<long>($"select count(*) from {OutcomeTally.Table}") == 3,
            "two minutes and the present are left");
        var windows = new Dictionary<string, int>
        {
            ["since=2020-01-01&until=2100-01-01"] = 6,
            ["since=2026-03-01T12:00:00Z&until=2026-03-01T12:01:00Z"] = 3,
        };
        foreach (var (window, expected) in windows)
            Assert.Equal(expected, (await second.GetAsync($"/apps/{sender.Id}/loss?{window}")).Count("received"));
    }

    /// <summary>
    /// As a sender names them in its own words, they have more rows than refusals have, and are merged sooner.
    /// </summary>
    [Fact]
    public async Task of_reports_older_than_ten_minutes_a_row_is_left_for_each_minute_and_pair()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var (sender, tally) = (await api.RegisterAsync(), (OutcomeTally)api.Host.Services.GetService(typeof(OutcomeTally))!);
        var minute = DateTimeOffset.UtcNow.AddMinutes(-30).Date.AddHours(DateTimeOffset.UtcNow.AddMinutes(-30).Hour);
        foreach (var seconds in new[] { 1, 2, 3 })
        {
            api.Clock.Now = new DateTimeOffset(minute, TimeSpan.Zero).AddSeconds(seconds);
            foreach (var reason in new[] { "r", "s" }) await ReportAsync(sender, (reason, "c", "1"), api);
            await api.PostEventAsync(sender, "{}", expected: 400);
            await tally.FlushAsync(default);
        }
        await tally.MergeAsync(default);
        var merged = $"select count(*) from {OutcomeTally.Table} where kind = 'client_dropped' and count = 3";
        Assert.Equal(2, await api.ScalarAsync<long>(merged));
        Assert.Equal(3, await api.ScalarAsync<long>($"select count(*) from {OutcomeTally.Table} where kind = 'refused'"));
        const string Merged = """[{"reason":"r","category":"c","count":3},{"reason":"s","category":"c","count":3}]""";
        Assert.Equal(Merged, (await LossAsync(sender, api: api)).Raw("client_dropped"));
    }

    [Fact]
    public async Task a_window_is_required()
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.GetAsync($"/apps/{sender.Id}/loss?until=x", expected: 400);
        Assert.Equal(["since", "until"], refusal.GetProperty("errors").EnumerateObject().Select(member => member.Name));
        await _api.GetAsync("/apps/2000000000/loss?since=2020-01-01&until=2021-01-01", expected: 404);
    }

    /// <summary>
    /// Another host on the same database: what the first counted and did not yet write is written when it stops.
    /// </summary>
    [Fact]
    public async Task what_was_counted_is_written_when_the_host_stops()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        Sender sender;
        await using (var first = await TestApi.StartAsync(connectionString))
        {
            sender = await first.RegisterAsync();
            for (var i = 0; i < 3; i++) await first.PostEventAsync(sender, "{}", expected: 400);
        }
        await using var second = await TestApi.StartAsync(connectionString);
        Assert.Equal(3, (await second.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01")).Count("received"));
    }

    private Task<JsonElement> LossAsync(Sender sender, string window = "since=2020-01-01&until=2100-01-01", TestApi? api = null) =>
        (api ?? _api).GetAsync($"/apps/{sender.Id}/loss?{window}");

    private static Task StoreOldAsync(TestApi api, Sender sender, string entries)
    {
        var data = System.Text.Encoding.UTF8.GetBytes($"{{\"dropped\":[{entries}]}}");
        return api.StoreAsync([new(sender.Id, Guid.CreateVersion7(), false, DateTimeOffset.UtcNow, data, EventKinds.LossReported)]);
    }

    private Task<JsonElement> BatchAsync(Sender sender, string body, int expected) =>
        _api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/events/batch", expected, body, (NativeIntake.KeyHeader, sender.Key));

    private Task<JsonElement> ReportAsync(
        Sender sender, (string Reason, string Category, string Quantity) entry, TestApi? api = null) => EnvelopeAsync(
        sender, $$"""
        {}
        {"type":"client_report"}
        {"discarded_events":[{"reason":"{{entry.Reason}}","category":"{{entry.Category}}","quantity":{{entry.Quantity}}}]}
        """, expected: 200, api);

    private Task<JsonElement> EnvelopeAsync(Sender sender, string body, int expected, TestApi? api = null) =>
        (api ?? _api).SendAsync(HttpMethod.Post, $"/api/{sender.Id}/envelope/?sentry_key={sender.Key}", expected, body);
}
