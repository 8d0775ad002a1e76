using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>Events of a window, bucket by bucket in ascending order. Buckets without events are left out unless <c>fill=true</c>.</summary>
/// <param name="Interval" example="HOUR">MINUTE, HOUR or DAY.</param>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
public sealed record Series(string Interval, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<BucketCount> Buckets)
{
    [System.Text.Json.Serialization.JsonPropertyName("series")]
    public IReadOnlyList<BucketCount> Buckets { get; init; } = Buckets;
}

/// <summary>A bucket and its events.</summary>
/// <param name="BucketStart" example="2026-01-31T12:00:00Z">A whole minute, hour or day of the zone, in UTC; the window's first bucket may start before the window does.</param>
/// <param name="Count" example="42">Events of the window in this bucket.</param>
public sealed record BucketCount(DateTimeOffset BucketStart, long Count);

public static class Timeseries
{
    private const int MostBuckets = 10_000;

    internal static readonly string Sql =
        $"""
        select greatest(date_trunc(@interval, at, @tz), timestamptz '0001-01-01 00:00Z') as bucket_start, sum(n)::bigint from (
          select bucket as at, sum(n) as n from {Snapshot.Counted("bucket, count as n", CounterTables.Current.Levels)} group by bucket
          union all
          select timestamp, 1 from {Snapshot.Loose("timestamp")}
          union all
          select at, 0 from generate_series(@since, @until - interval '1 microsecond', @grain) as at where @fill
          union all
          select @until - interval '1 microsecond', 0 where @fill) as parts
        group by 1 order by 1
        """;

    /// <summary>Events of a window over time.</summary>
    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="interval">MINUTE, HOUR (default) or DAY, in any case. The window may touch at most 10,000 of them.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="tz">IANA time zone, in which minutes, hours and days start; UTC if absent.</param>
    /// <param name="fill">true: buckets without events too, with count 0.</param>
    [WolverineGet("/apps/{app_id}/stats/timeseries", OperationId = "ReadTimeseries")]
    [ProducesResponseType<Series>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(string app_id, string? since, string? until, string? interval, string? level, string? tz, string? fill,
        FieldErrors errors, ApplicationDirectory applications, Snapshot snapshot, CancellationToken stop)
    {
        var window = Window.Parse(since, until, errors);
        var wanted = Levels.Optional(level, errors);
        var zone = Zone.Optional(tz, errors);
        var filled = "true".Equals(fill, StringComparison.OrdinalIgnoreCase);
        if (fill is not null && !filled && !"false".Equals(fill, StringComparison.OrdinalIgnoreCase)) errors["fill"] = ["must be true or false"];
        var size = Interval.Parse(interval ?? Interval.Default);
        if (size is null) errors["interval"] = [Interval.Expected];
        else if (errors.Count == 0 && size.CountIn(zone, window) > MostBuckets)
            errors["interval"] = [$"must be longer, or the window shorter: it touches more than {MostBuckets} buckets"];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        var question = new Question(application!.Id, window, whole => size!.Cut(zone, whole), wanted,
            ("interval", size!.Name), ("tz", zone.Name), ("fill", filled), ("grain", size.Grain));
        try
        {
            var buckets = await snapshot.QueryAsync(Sql, question, row => new BucketCount(row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1)), stop);
            return Results.Ok(new Series(size.Name, window.Since, window.Until, buckets));
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            return Refusal.Invalid("tz", Zone.Expected); // known here, but not to the database
        }
    }
}
