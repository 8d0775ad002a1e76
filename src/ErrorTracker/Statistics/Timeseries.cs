using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>Events of a window, bucket by bucket in ascending order. Buckets without events are left out.</summary>
/// <param name="Interval" example="HOUR">MINUTE, HOUR or DAY.</param>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
public sealed record Series(string Interval, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<BucketCount> Buckets)
{
    [System.Text.Json.Serialization.JsonPropertyName("series")]
    public IReadOnlyList<BucketCount> Buckets { get; init; } = Buckets;
}

/// <summary>A bucket and its events.</summary>
/// <param name="BucketStart" example="2026-01-31T12:00:00Z">A whole minute, hour or day in UTC; the window's first bucket may start before the window does.</param>
/// <param name="Count" example="42">Events of the window in this bucket.</param>
public sealed record BucketCount(DateTimeOffset BucketStart, long Count);

public static class Timeseries
{
    private const int MostBuckets = 10_000;

    internal static readonly string Sql =
        $"""
        with {Snapshot.LooseEvents}
        select date_trunc(@unit, at, 'UTC') as bucket_start, sum(n)::bigint from (
          select counted.at, counted.n from {Snapshot.Runs} cross join lateral (
            select date_trunc(@unit, bucket, 'UTC') as at, sum(count) as n from {CounterTables.Levels}
            where tenant_id = @tenant and step = run.step and bucket >= run.since and bucket < run.until and (@level::text is null or level = @level)
            group by 1) as counted
          union all
          select timestamp, 1 from loose) as parts
        group by 1 order by 1
        """;

    /// <summary>Events of a window over time.</summary>
    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="interval">MINUTE, HOUR (default) or DAY, in any case. The window may touch at most 10,000 of them.</param>
    /// <param name="level">Only this level, in any case.</param>
    [WolverineGet("/apps/{app_id}/stats/timeseries")]
    [ProducesResponseType<Series>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(string app_id, string? since, string? until, string? interval, string? level,
        ApplicationDirectory applications, Snapshot snapshot, CancellationToken stop)
    {
        var errors = new Dictionary<string, string[]>();
        var window = Window.Parse(since, until, errors);
        var wanted = Levels.Optional(level, errors);
        var step = Step.Parse(interval ?? "HOUR");
        if (step is null) errors["interval"] = [Step.Expected];
        else if (errors.Count == 0 && window.CountBuckets(step) > MostBuckets)
            errors["interval"] = [$"must be longer, or the window shorter: it touches more than {MostBuckets} buckets"];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        Step[] ladder = [.. Step.OfLevels.Where(s => s.Length <= step!.Length)];
        var buckets = await snapshot.QueryAsync(Sql, new Question(application!.Id, window, ladder, wanted, ("unit", step!.Unit)),
            row => new BucketCount(row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1)), stop);
        return Results.Ok(new Series(step.Unit.ToUpperInvariant(), window.Since, window.Until, buckets));
    }
}
