namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnPostgres))]
public sealed class TimeseriesTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 23, 59, 30, TimeSpan.Zero);

    [Theory]
    [InlineData("interval=MINUTE", "2026-05-04T23:59:00Z=1 2026-05-05T00:00:00Z=2 2026-05-05T01:00:00Z=1")]
    [InlineData("", "2026-05-04T23:00:00Z=1 2026-05-05T00:00:00Z=2 2026-05-05T01:00:00Z=1")]
    [InlineData("interval=hour&level=info", "2026-05-05T00:00:00Z=1")]
    [InlineData("interval=Day", "2026-05-04T00:00:00Z=1 2026-05-05T00:00:00Z=3")]
    public async Task events_are_counted_by_bucket_in_ascending_order_without_empty_ones(string options, string expected)
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync([
            TestApi.Event(sender, Start), TestApi.Event(sender, Start.AddSeconds(30)), TestApi.Event(sender, Start.AddSeconds(31), "INFO"),
            TestApi.Event(sender, Start.AddHours(1).AddSeconds(30))]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-05-04T23:59:30Z&until=2026-05-05T01:00:01Z&{options}");
            Assert.Equal(expected, string.Join(' ', answer.GetProperty("series").EnumerateArray().Select(b => $"{b.GetProperty("bucket_start").GetString()}={b.GetProperty("count")}")));
        }
    }

    [Fact]
    public async Task more_than_10_000_buckets_are_refused()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-01-01&until=2026-01-07T22:40:00Z&interval=MINUTE");
        await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-01-01&until=2026-01-07T22:41:00Z&interval=MINUTE", expected: 400);
        await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-01-01T00:00:30Z&until=2026-01-07T22:40:30Z&interval=MINUTE", expected: 400);
    }
}
