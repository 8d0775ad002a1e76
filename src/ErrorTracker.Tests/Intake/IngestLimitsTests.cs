using System.Text;
using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Intake;

[Collection(nameof(OnAnotherPostgres))]
public sealed class IngestLimitsTests(SharedApi shared)
{
    private const string Event = """{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""";

    private static readonly DateTimeOffset Evening = new(2026, 4, 1, 23, 59, 0, TimeSpan.Zero);

    /// <summary>Each application has its own; what is refused is counted under a reason of its own.</summary>
    [Fact]
    public async Task events_a_second_are_limited_for_each_application_wherever_they_are_sent()
    {
        await using var api = await StartAsync(("ErrorTracker:EventsPerSecond", "3"));
        var (sender, other) = (await api.RegisterAsync(), await api.RegisterAsync());
        await api.PostEventAsync(sender, Event, 201);
        var batch = await BatchAsync(api, sender, 3, 200);
        Assert.Equal(2, batch.GetProperty("accepted").GetInt32());
        var rejected = batch.GetProperty("rejected")[0];
        Assert.Equal((2, 429), (rejected.GetProperty("index").GetInt32(), rejected.GetProperty("status").GetInt32()));

        var single = await SendAsync(api, sender, "events", Event, 429);
        Assert.Equal("An application may send 3 events a second to this node.", single.Detail);
        Assert.Equal("1", single.RetryAfter);
        var all = await SendAsync(api, sender, "events/batch", $"[{Event},{Event}]", 429);
        Assert.Equal(single.Detail, all.Detail);
        Assert.Equal(2, all.Body.GetProperty("rejected").GetArrayLength());
        var sdk = await SdkAsync(api, sender, 429);
        Assert.Equal((single.Detail, "1", "1:error:project:rate_limited"), (sdk.Detail, sdk.RetryAfter, sdk.Limits));
        await api.PostEventAsync(other, Event, 201);

        api.Clock.Skipped += TimeSpan.FromSeconds(1);
        await api.PostEventAsync(sender, Event, 201);
        var loss = await api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");
        Assert.Equal("""[{"reason":"rate limited","count":5}]""", loss.GetProperty("refused").GetRawText());
        Assert.Equal((4, 9), (loss.GetProperty("accepted").GetInt32(), loss.GetProperty("received").GetInt32()));
    }

    [Fact]
    public async Task bytes_a_day_are_limited_until_midnight()
    {
        await using var api = await StartAsync(("ErrorTracker:BytesPerDay", $"{2 * Event.Length}"));
        var sender = await api.RegisterAsync();
        api.Clock.Now = Evening;
        Assert.Equal(2, (await BatchAsync(api, sender, 3, 200)).GetProperty("accepted").GetInt32());
        var single = await SendAsync(api, sender, "events", Event, 429);
        Assert.Equal(
            ($"An application may send {2 * Event.Length} bytes of events a day to this node.", "60"),
            (single.Detail, single.RetryAfter));
        Assert.Equal("60:error:project:over_quota", (await SdkAsync(api, sender, 429)).Limits);

        api.Clock.Now = Evening.AddMinutes(1);
        await api.PostEventAsync(sender, Event, 201);
        api.Clock.Now = null;
        var loss = await api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");
        Assert.Equal("""[{"reason":"over quota","count":3}]""", loss.GetProperty("refused").GetRawText());
    }

    /// <summary>It was sent for the operator to see what SDKs drop, and no limit is about it.</summary>
    [Fact]
    public async Task a_client_report_beside_an_event_over_the_limit_is_counted()
    {
        await using var api = await StartAsync(("ErrorTracker:EventsPerSecond", "1"));
        var sender = await api.RegisterAsync();
        await api.PostEventAsync(sender, Event, 201);
        const string Report = """{"timestamp":1,"discarded_events":[{"reason":"r","category":"c","quantity":2}]}""";
        var body = $"{{}}\n{{\"type\":\"event\"}}\n{Event}\n{{\"type\":\"client_report\"}}\n{Report}";
        await api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/envelope/?sentry_key={sender.Key}", 429, body);
        var loss = await api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");
        Assert.Equal("""[{"reason":"r","category":"c","count":2}]""", loss.GetProperty("client_dropped").GetRawText());
    }

    /// <summary>One more of many that are sent at once is never taken.</summary>
    [Fact]
    public void at_once_no_more_bytes_are_taken_than_a_day_has()
    {
        var limits = new IngestLimits(0, 100_000, TimeProvider.System);
        Assert.Equal(1_000, Enumerable.Range(0, 5_000).AsParallel().Count(_ => limits.Take(1, 100) is null));
    }

    private async Task<TestApi> StartAsync(params (string, string)[] settings) =>
        await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), settings);

    private static Task<JsonElement> BatchAsync(TestApi api, Sender sender, int events, int expected) =>
        api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/events/batch", expected,
            $"[{string.Join(',', Enumerable.Repeat(Event, events))}]", (NativeIntake.KeyHeader, sender.Key));

    private sealed record Refused(string? Detail, string? RetryAfter, string? Limits, JsonElement Body);

    private static Task<Refused> SendAsync(TestApi api, Sender sender, string path, string body, int expected) =>
        RefusedAsync(api, $"/apps/{sender.Id}/{path}", sender, body, expected);

    private static Task<Refused> SdkAsync(TestApi api, Sender sender, int expected) =>
        RefusedAsync(api, $"/api/{sender.Id}/store/?sentry_key={sender.Key}", sender, Event, expected);

    private static async Task<Refused> RefusedAsync(TestApi api, string path, Sender sender, string body, int expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body, Encoding.UTF8, MediaType.Json), Headers = { { NativeIntake.KeyHeader, sender.Key } },
        };
        using var answer = await api.Host.Server.CreateClient().SendAsync(request);
        Assert.Equal(expected, (int)answer.StatusCode);
        string? Header(string name) => answer.Headers.TryGetValues(name, out var values) ? values.Single() : null;
        var json = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return new(json.GetProperty("detail").GetString(), Header("Retry-After"), Header("X-Sentry-Rate-Limits"), json);
    }
}
