using System.Globalization;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ReceivedAtTests(SharedApi shared)
{
    /// <summary>Also what takes its place where the SDK gave no time.</summary>
    [Fact]
    public async Task an_event_is_received_when_the_whole_request_has_arrived()
    {
        var (api, start) = (shared.Api, new DateTimeOffset(2026, 4, 3, 12, 0, 0, TimeSpan.Zero));
        var sender = await api.RegisterAsync();
        api.Clock.Now = start;
        var body = new SlowBody([
            ("{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}\n", () => api.Clock.Now = start.AddSeconds(1)),
            ("{\"type\":\"attachment\"}\nslow\n", () => api.Clock.Now = start.AddSeconds(7))]);
        await api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/envelope/?sentry_key={sender.Key}", 200, body);
        api.Clock.Now = null;
        var item = Assert.Single((await api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
        Assert.Equal(start.AddSeconds(7), item.GetProperty("received_at").GetDateTimeOffset());
        Assert.Equal(start.AddSeconds(7), item.GetProperty("occurred_at").GetDateTimeOffset());
    }

    /// <summary>
    /// A window that is over must not change: what a slow request was refused for is counted when it was refused.
    /// </summary>
    [Theory]
    [InlineData("/apps/{0}/events")]
    [InlineData("/apps/{0}/events/batch")]
    [InlineData("/api/{0}/envelope/?sentry_key={1}")]
    public async Task a_refusal_is_counted_when_it_is_known(string path)
    {
        var (api, start) = (shared.Api, new DateTimeOffset(2026, 4, 3, 13, 0, 0, TimeSpan.Zero));
        var sender = await api.RegisterAsync();
        api.Clock.Now = start;
        var body = new SlowBody([("no ", () => { }), ("json", () => api.Clock.Now = start.AddMinutes(2))]);
        var url = string.Format(CultureInfo.InvariantCulture, path, sender.Id, sender.Key);
        await api.SendAsync(HttpMethod.Post, url, 400, body, (NativeIntake.KeyHeader, sender.Key));
        api.Clock.Now = null;
        Assert.Equal(0, await ReceivedAsync("13:00", "13:02"));
        Assert.Equal(1, await ReceivedAsync("13:02", "13:03"));

        async Task<int> ReceivedAsync(string since, string until)
        {
            var window = $"since=2026-04-03T{since}:00Z&until=2026-04-03T{until}:00Z";
            return (await api.GetAsync($"/apps/{sender.Id}/loss?{window}")).GetProperty("received").GetInt32();
        }
    }
}
