using System.Globalization;
using ErrorTracker.Http;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;

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
            TestApi.Event(sender, Start),
            TestApi.Event(sender, Start.AddSeconds(30)),
            TestApi.Event(sender, Start.AddSeconds(31), "INFO"),
            TestApi.Event(sender, Start.AddHours(1).AddSeconds(30)),
        ]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var series = await SeriesAsync(sender, $"since=2026-05-04T23:59:30Z&until=2026-05-05T01:00:01Z&{options}");
            Assert.Equal(expected, string.Join(' ', series.Select(b => $"{Instant.ToText(b.BucketStart)}={b.Count}")));
        }
    }

    /// <summary>
    /// Days on which clocks change: 23 and 25 hours in Berlin, 23.5 and 24.5 on Lord Howe Island; and days that start
    /// at a quarter to an hour.
    /// </summary>
    [Theory]
    [InlineData("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z", 23.0)]
    [InlineData("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z", 25.0)]
    [InlineData("Australia/Lord_Howe", "2026-10-04", "2026-10-03T13:30:00Z", 23.5)]
    [InlineData("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00:00Z", 24.5)]
    [InlineData("Asia/Kathmandu", "2026-05-04", "2026-05-03T18:15:00Z", 24.0)]
    [InlineData("UTC", "2026-05-04", "2026-05-04T00:00:00Z", 24.0)]
    public async Task days_are_those_of_the_zone(string zone, string day, string starts, double hours)
    {
        var sender = await shared.Api.RegisterAsync();
        var start = DateTimeOffset.Parse(starts, CultureInfo.InvariantCulture);
        var minutes = Enumerable.Range(0, (int)(hours * 4)).Select(q => start.AddMinutes(15 * q)).ToList();
        await shared.Api.StoreAsync([
            TestApi.Event(sender, start.AddMicroseconds(-1)),
            .. minutes.Select(minute => TestApi.Event(sender, minute)),
            TestApi.Event(sender, start.AddHours(hours)),
        ]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var window = $"since={start.AddDays(-1):yyyy-MM-ddTHH:mm:ssZ}&until={start.AddDays(2):yyyy-MM-ddTHH:mm:ssZ}";
            var series = await SeriesAsync(sender, $"{window}&interval=DAY&tz={zone}");
            Assert.Equal([1, minutes.Count, 1], series.Select(bucket => bucket.Count));
            Assert.Equal(start, series[1].BucketStart);
        }
        var local = TimeZoneInfo.ConvertTime(start, TimeZoneInfo.FindSystemTimeZoneById(zone));
        Assert.Equal(day, local.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task filled_series_have_every_bucket_of_the_window()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync([TestApi.Event(sender, Start)]);
        var series = await SeriesAsync(sender, "since=2026-05-04T22:30:00Z&until=2026-05-05T00:00:00.000001Z&fill=true");
        Assert.Equal("22=0 23=1 00=0", string.Join(' ', series.Select(b => $"{b.BucketStart:HH}={b.Count}")));
    }

    [Fact]
    public async Task more_than_10_000_buckets_are_refused()
    {
        var sender = await shared.Api.RegisterAsync();
        await SeriesAsync(sender, "since=2026-01-01&until=2026-01-07T22:40:00Z&interval=MINUTE");
        await RefusedAsync(sender, "since=2026-01-01&until=2026-01-07T22:41:00Z&interval=MINUTE", "interval");
        await RefusedAsync(sender, "since=2026-01-01T00:00:30Z&until=2026-01-07T22:40:30Z&interval=MINUTE", "interval");
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
        var series = await SeriesAsync(sender, $"since={since}&until={until}&interval={interval}&tz={zone}&fill=true");
        var window = new Window(
            DateTimeOffset.Parse(since, CultureInfo.InvariantCulture),
            DateTimeOffset.Parse(until, CultureInfo.InvariantCulture));
        var expected = Interval.Parse(interval)!.CountIn(Zone.Optional(zone, []), window);
        if (zone != "Australia/Lord_Howe") Assert.Equal(expected, series.Count);
        Assert.InRange(expected, series.Count - 1, series.Count + 1); // an hour of which the clocks take half away
    }

    [Theory]
    [InlineData("1")]
    [InlineData("true%00")]
    [InlineData("%20true")]
    public async Task fill_is_true_or_false(string fill)
    {
        var sender = await shared.Api.RegisterAsync();
        await RefusedAsync(sender, $"since=2026-07-01&until=2026-07-02&fill={fill}", "fill");
    }

    /// <summary>In July: PostgreSQL takes CET for a fixed offset.</summary>
    [Fact]
    public async Task names_that_are_abbreviations_too_are_zones_and_what_names_no_zone_is_refused()
    {
        var sender = await shared.Api.RegisterAsync();
        var series = await SeriesAsync(sender, "since=2026-07-01&until=2026-07-02&interval=DAY&tz=CET&fill=true");
        Assert.Equal("2026-06-30T22:00:00Z", Instant.ToText(series[0].BucketStart));
        string[] noZones =
        [
            "localtime", "posixrules", "Factory", "right/UTC", "Mars/Olympus", "../etc/passwd", "%00", "Europe//Berlin",
            "Europe/./Berlin",
        ];
        foreach (var zone in noZones) await RefusedAsync(sender, $"since=2026-07-01&until=2026-07-02&tz={zone}", "tz");
    }

    /// <summary>Its zone database may be older than this host's: here it knows none, as it reads date_trunc elsewhere.</summary>
    [Fact]
    public async Task a_zone_that_only_the_database_does_not_know_is_refused_alike()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using (var database = Npgsql.NpgsqlDataSource.Create(connectionString))
        await using (var shadow = database.CreateCommand(
            """
            create schema shadow;
            create function shadow.date_trunc(text, timestamptz, text) returns timestamptz language plpgsql as
              $$ begin raise exception using errcode = 'invalid_parameter_value', message = 'no such time zone'; end $$;
            do $$ begin
              execute format('alter database %I set search_path = shadow, pg_catalog, public', current_database());
            end $$
            """)) await shadow.ExecuteNonQueryAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        var sender = await api.RegisterAsync();
        var url = $"/apps/{sender.Id}/stats/timeseries?since=2026-07-01&until=2026-07-02&fill=true&tz=Europe/Berlin";
        Assert.Equal([Zone.Expected], (await api.GetAsync<Refused>(url, expected: 400)).Errors!["tz"]);
    }

    private async Task<IReadOnlyList<BucketCount>> SeriesAsync(Sender sender, string query) =>
        (await shared.Api.GetAsync<Series>($"/apps/{sender.Id}/stats/timeseries?{query}")).Buckets;

    private async Task RefusedAsync(Sender sender, string query, string fields)
    {
        var refusal = await shared.Api.GetAsync<Refused>($"/apps/{sender.Id}/stats/timeseries?{query}", expected: 400);
        Assert.Equal(fields, refusal.Fields);
    }
}
