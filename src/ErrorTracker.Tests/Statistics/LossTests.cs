using System.Text.Json;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnPostgres))]
public sealed class LossTests(SharedApi shared)
{
    private const string Good = """{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""", Named = """{"event_id":"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10","occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""";

    private readonly TestApi _api = shared.Api;

    private OutcomeTally Tally => (OutcomeTally)_api.Host.Services.GetService(typeof(OutcomeTally))!;

    [Fact]
    public async Task what_is_received_is_accepted_duplicate_or_refused_wherever_it_is_sent()
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
        Assert.Equal(["since", "until", "received", "accepted", "duplicates", "refused", "client_dropped"], loss.EnumerateObject().Select(member => member.Name));
        Assert.Equal("""[{"reason":"invalid","count":4},{"reason":"conflicting","count":2}]""", loss.GetProperty("refused").GetRawText());
        Assert.Equal((5, 2, 13), (loss.GetProperty("accepted").GetInt32(), loss.GetProperty("duplicates").GetInt32(), loss.GetProperty("received").GetInt32()));
        Assert.Equal("[]", loss.GetProperty("client_dropped").GetRawText());
    }

    [Fact]
    public async Task client_reports_are_added_up_and_one_that_is_sent_again_counts_once()
    {
        var sender = await _api.RegisterAsync();
        const string Report = """{"timestamp":"2026-01-31T12:00:00.123Z","discarded_events":[{"reason":"network_error","category":"error","quantity":3},{"reason":"sample_rate","category":"transaction","quantity":7},{"reason":"x"},{"quantity":-1},7]}""";
        for (var times = 0; times < 2; times++) await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"client_report\"}}\n{Report}\n", expected: 200);
        await EnvelopeAsync(sender, $"{{}}\n{{\"type\":\"event\"}}\n{Good}\n{{\"type\":\"client_report\"}}\n{Report.Replace(".123", ".456")}\n", expected: 200);
        await EnvelopeAsync(sender, "{}\n{\"type\":\"client_report\"}\nno json\n{\"type\":\"client_report\"}\n{\"discarded_events\":[]}", expected: 200);

        var loss = await LossAsync(sender);
        Assert.Equal("""[{"reason":"sample_rate","category":"transaction","count":14},{"reason":"network_error","category":"error","count":6}]""", loss.GetProperty("client_dropped").GetRawText());
        Assert.Equal(1, loss.GetProperty("received").GetInt32());
        Assert.Single((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
        Assert.Equal(1, (await _api.GetAsync($"/apps/{sender.Id}/stats/top-messages?since=2020-01-01&until=2100-01-01")).GetProperty("items").EnumerateArray().Sum(item => item.GetProperty("count").GetInt32()));
        Assert.Equal(2, await _api.ScalarAsync<long>($"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}' and type = 'loss_reported'"));
        Assert.Equal("""{"dropped": [{"reason": "network_error", "category": "error", "quantity": 3}, {"reason": "sample_rate", "category": "transaction", "quantity": 7}]}""",
            await _api.ScalarAsync<string>($"select data::text from errortracker.mt_events where tenant_id = '{sender.Id}' and type = 'loss_reported' limit 1"));
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
            await EnvelopeAsync(sender, "{}\n{\"type\":\"client_report\"}\n{\"discarded_events\":[{\"reason\":\"r\",\"category\":\"c\",\"quantity\":1}]}", expected: 200);
            await Tally.FlushAsync(default);
        }
        _api.Clock.Now = null;
        var loss = await LossAsync(sender, "since=2026-02-01T01:00:00Z&until=2026-02-01T02:00:00Z");
        Assert.Equal((2, 1), (loss.GetProperty("received").GetInt32(), loss.GetProperty("accepted").GetInt32()));
        Assert.Equal("""[{"reason":"r","category":"c","count":1}]""", loss.GetProperty("client_dropped").GetRawText());
    }

    /// <summary>Or a sender that is refused for years would fill the disk. A host looks after them when it starts, and every ten minutes.</summary>
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
        await Eventually.Async(async () => await second.ScalarAsync<long>($"select count(*) from {OutcomeTally.Table}") == 3, "two minutes and the present are left");
        foreach (var (window, expected) in new[] { ("since=2020-01-01&until=2100-01-01", 6), ("since=2026-03-01T12:00:00Z&until=2026-03-01T12:01:00Z", 3) })
            Assert.Equal(expected, (await second.GetAsync($"/apps/{sender.Id}/loss?{window}")).GetProperty("received").GetInt32());
    }

    [Fact]
    public async Task a_window_is_required()
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.GetAsync($"/apps/{sender.Id}/loss?until=x", expected: 400);
        Assert.Equal(["since", "until"], refusal.GetProperty("errors").EnumerateObject().Select(member => member.Name));
        await _api.GetAsync("/apps/2000000000/loss?since=2020-01-01&until=2021-01-01", expected: 404);
    }

    /// <summary>Another host on the same database: what the first counted and did not yet write is written when it stops.</summary>
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
        Assert.Equal(3, (await second.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01")).GetProperty("received").GetInt32());
    }

    private Task<JsonElement> LossAsync(Sender sender, string window = "since=2020-01-01&until=2100-01-01") => _api.GetAsync($"/apps/{sender.Id}/loss?{window}");

    private Task<JsonElement> BatchAsync(Sender sender, string body, int expected) => _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events/batch", expected, body, (Door.KeyHeader, sender.Key));

    private Task<JsonElement> EnvelopeAsync(Sender sender, string body, int expected) => _api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/envelope/?sentry_key={sender.Key}", expected, body);
}
