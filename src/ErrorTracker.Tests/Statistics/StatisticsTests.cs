using System.Globalization;
using ErrorTracker.Statistics;

namespace ErrorTracker.Tests.Statistics;

/// <summary>What the three statistics have in common: their windows and refusals.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class StatisticsTests(SharedApi shared)
{
    private static readonly DateTimeOffset Noon = new(2026, 5, 4, 12, 0, 0, TimeSpan.Zero);

    private readonly TestApi _api = shared.Api;

    /// <summary>Seven events: two around the edge of an hour, of a minute, of a second each, and one at noon.</summary>
    [Theory]
    [InlineData("12:00:00", "13:00:00", 7)]
    [InlineData("12:00:00", "12:30:00", 2)]
    [InlineData("12:30:00", "13:00:00", 5)]
    [InlineData("12:30:00.000001", "13:00:00", 4)]
    [InlineData("12:45:20", "12:45:40", 2)]
    [InlineData("12:45:20", "12:45:30", 1)]
    [InlineData("12:45:30", "12:45:40", 1)]
    [InlineData("12:50:10", "12:50:11", 2)]
    [InlineData("12:50:10", "12:50:10.5", 1)]
    [InlineData("12:50:10.5", "12:50:11", 1)]
    [InlineData("12:50:10.500001", "12:50:11", 0)]
    public async Task a_window_that_cuts_an_hour_a_minute_or_a_second_counts_only_its_part(string since, string until, long expected)
    {
        var sender = await _api.RegisterAsync();
        string[] times =
        [
            "12:00:00", "12:29:59.999999", "12:30:00", "12:45:29.999999", "12:45:30", "12:50:10.499999", "12:50:10.5",
        ];
        await _api.StoreAsync(times.Select(time => TestApi.Event(sender, At(time))));

        foreach (var folded in new[] { false, true })
        {
            if (folded) await _api.FoldedAsync();
            var window = $"since=2026-05-04T{since}Z&until=2026-05-04T{until}Z";
            var levels = await _api.GetAsync<LevelCounts>($"/apps/{sender.Id}/stats/by-level?{window}");
            var series = await _api.GetAsync<Series>($"/apps/{sender.Id}/stats/timeseries?{window}");
            var messages = await _api.GetAsync<FrequentMessages>($"/apps/{sender.Id}/stats/top-messages?{window}");
            Assert.Equal(expected, levels.Items.Sum(level => level.Count));
            Assert.Equal(expected, series.Buckets.Sum(bucket => bucket.Count));
            Assert.Equal(expected, messages.Items.Sum(message => message.Count));
        }

        static DateTimeOffset At(string time) =>
            Noon - TimeSpan.FromHours(12) + TimeSpan.Parse(time, CultureInfo.InvariantCulture);
    }

    [Theory]
    [InlineData("since=2026-01-02&until=2026-01-02", "since")]
    [InlineData("since=2026-01-03&until=2026-01-02", "since")]
    [InlineData("", "since,until")]
    [InlineData("since=x&until=2026-01-02", "since")]
    [InlineData("since=2026-01-01&until=", "until")]
    public async Task a_bad_window_is_named(string window, string fields)
    {
        var sender = await _api.RegisterAsync();
        foreach (var statistic in new[] { "by-level", "timeseries", "top-messages" })
            await RefusedAsync($"/apps/{sender.Id}/stats/{statistic}?{window}", fields);
    }

    [Theory]
    [InlineData("timeseries", "interval=SECOND", "interval")]
    [InlineData("timeseries", "interval=", "interval")]
    [InlineData("timeseries", "interval=1", "interval")]
    [InlineData("timeseries", "level=LOUD", "level")]
    [InlineData("timeseries", "tz=Mars/Olympus", "tz")]
    [InlineData("timeseries", "tz=", "tz")]
    [InlineData("timeseries", "tz=../UTC", "tz")]
    [InlineData("timeseries", "tz=EST5EDT%2Bx", "tz")]
    [InlineData("timeseries", "fill=yes", "fill")]
    [InlineData("top-messages", "limit=0", "limit")]
    [InlineData("top-messages", "limit=101", "limit")]
    [InlineData("top-messages", "level=99", "level")]
    public async Task each_wrong_option_is_named(string statistic, string option, string field) =>
        await RefusedAsync($"/apps/{(await _api.RegisterAsync()).Id}/stats/{statistic}?since=2026-01-01&until=2026-01-02&{option}", field);

    [Theory]
    [InlineData("by-level")]
    [InlineData("timeseries")]
    [InlineData("top-messages")]
    public async Task an_unknown_application_is_not_found(string statistic) =>
        await _api.GetAsync($"/apps/2000000000/stats/{statistic}?since=2026-01-01&until=2026-01-02", expected: 404);

    private async Task RefusedAsync(string url, string fields) =>
        Assert.Equal(fields, (await _api.GetAsync<Refused>(url, expected: 400)).Fields);
}
