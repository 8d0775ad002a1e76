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

    /// <summary>Days on which clocks change: 23 and 25 hours in Berlin, 23.5 and 24.5 on Lord Howe Island; and days that start at a quarter to an hour.</summary>
    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23.0)]
    [InlineData("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25.0)]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5)]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5)]
    [InlineData("Asia/Kathmandu", "2026-05-04", "2026-05-03T18:15:00Z", 24.0)]
    [InlineData("UTC", "2026-05-04", "2026-05-04T00:00:00Z", 24.0)]
    public async Task days_are_those_of_the_zone(string zone, string day, string starts, double hours)
    {
        var (sender, start) = (await shared.Api.RegisterAsync(), DateTimeOffset.Parse(starts));
        var minutes = Enumerable.Range(0, (int)(hours * 4)).Select(q => start.AddMinutes(15 * q)).ToList();
        await shared.Api.StoreAsync([TestApi.Event(sender, start.AddMicroseconds(-1)), .. minutes.Select(m => TestApi.Event(sender, m)), TestApi.Event(sender, start.AddHours(hours))]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var window = $"since={start.AddDays(-1):yyyy-MM-ddTHH:mm:ssZ}&until={start.AddDays(2):yyyy-MM-ddTHH:mm:ssZ}";
            var series = (await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?{window}&interval=DAY&tz={zone}")).GetProperty("series");
            Assert.Equal([1, minutes.Count, 1], series.EnumerateArray().Select(b => b.GetProperty("count").GetInt32()));
            Assert.Equal(starts, series[1].GetProperty("bucket_start").GetString());
        }
        Assert.StartsWith(day, TimeZoneInfo.ConvertTime(start, TimeZoneInfo.FindSystemTimeZoneById(zone)).ToString("yyyy-MM-dd"));
    }

    [Fact]
    public async Task filled_series_have_every_bucket_of_the_window()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync([TestApi.Event(sender, Start)]);
        var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-05-04T22:30:00Z&until=2026-05-05T00:00:00.000001Z&fill=true");
        Assert.Equal("22=0 23=1 00=0", string.Join(' ', answer.GetProperty("series").EnumerateArray().Select(b => $"{b.GetProperty("bucket_start").GetString()![11..13]}={b.GetProperty("count")}")));
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
