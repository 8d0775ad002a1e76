using ErrorTracker.Statistics;

namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnAnotherPostgres))]
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

    /// <summary>As many as the limit counts, on days whose clocks change by half an hour to three, and at the ends of time.</summary>
    [Theory]
    [InlineData("Europe/Berlin", "2026-03-28T12:34:56Z", "2026-03-30T12:00:01Z", "HOUR")]
    [InlineData("Europe/Berlin", "2026-10-24T12:34:56Z", "2026-10-26T12:00:01Z", "HOUR")]
    [InlineData("Europe/Berlin", "2026-10-25T00:59:59Z", "2026-10-25T02:00:01Z", "MINUTE")]
    [InlineData("Australia/Lord_Howe", "2026-04-04T10:00:00Z", "2026-04-05T10:00:00Z", "HOUR")]
    [InlineData("Antarctica/Casey", "2022-09-30T17:30:00Z", "2022-10-04T00:00:00Z", "DAY")]
    [InlineData("Asia/Kathmandu", "2026-05-04T00:00:00Z", "2026-05-06T00:00:00Z", "HOUR")]
    [InlineData("Asia/Tokyo", "0001-01-01T00:00:00Z", "0001-01-05T00:00:00Z", "DAY")]
    [InlineData("UTC", "0001-01-01T00:00:00Z", "0001-01-01T05:00:00Z", "HOUR")]
    [InlineData("America/New_York", "9999-12-30T00:00:00Z", "9999-12-31T23:59:59.999999Z", "HOUR")]
    public async Task a_filled_series_is_as_long_as_the_window_touches_buckets(string zone, string since, string until, string interval)
    {
        var sender = await shared.Api.RegisterAsync();
        var series = (await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since={since}&until={until}&interval={interval}&tz={zone}&fill=true")).GetProperty("series");
        var expected = Interval.Parse(interval)!.CountIn(Zone.Optional(zone, []), new(DateTimeOffset.Parse(since), DateTimeOffset.Parse(until)));
        if (zone != "Australia/Lord_Howe") Assert.Equal(expected, series.GetArrayLength());
        Assert.InRange(expected, series.GetArrayLength() - 1, series.GetArrayLength() + 1); // an hour of which the clocks take half away
    }

    [Theory]
    [InlineData("1")]
    [InlineData("true%00")]
    [InlineData("%20true")]
    public async Task fill_is_true_or_false(string fill)
    {
        var sender = await shared.Api.RegisterAsync();
        Assert.True((await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-07-01&until=2026-07-02&fill={fill}", expected: 400)).GetProperty("errors").TryGetProperty("fill", out _));
    }

    /// <summary>In July: PostgreSQL takes CET for a fixed offset.</summary>
    [Fact]
    public async Task names_that_are_abbreviations_too_are_zones_and_what_names_no_zone_is_refused()
    {
        var sender = await shared.Api.RegisterAsync();
        var series = (await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-07-01&until=2026-07-02&interval=DAY&tz=CET&fill=true")).GetProperty("series");
        Assert.Equal("2026-06-30T22:00:00Z", series[0].GetProperty("bucket_start").GetString());
        foreach (var zone in new[] { "localtime", "posixrules", "Factory", "right/UTC", "Mars/Olympus", "../etc/passwd", "%00", "Europe//Berlin", "Europe/./Berlin" })
            Assert.True((await shared.Api.GetAsync($"/apps/{sender.Id}/stats/timeseries?since=2026-07-01&until=2026-07-02&tz={zone}", expected: 400)).GetProperty("errors").TryGetProperty("tz", out _));
    }
}
