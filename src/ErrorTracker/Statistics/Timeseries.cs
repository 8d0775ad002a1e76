using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>
/// Events of a window, bucket by bucket in ascending order. Buckets without events are left out unless <c>fill=true</c>.
/// </summary>
/// <param name="Interval" example="HOUR">MINUTE, HOUR or DAY.</param>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
public sealed record Series(
    string Interval, DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<BucketCount> Buckets)
{
    [System.Text.Json.Serialization.JsonPropertyName("series")]
    public IReadOnlyList<BucketCount> Buckets { get; init; } = Buckets;
}

/// <summary>A bucket and its events.</summary>
/// <param name="BucketStart" example="2026-01-31T12:00:00Z">A whole minute, hour or day of the zone, in UTC; the window's
/// first bucket may start before the window does.</param>
/// <param name="Count" example="42">Events of the window in this bucket.</param>
public sealed record BucketCount(DateTimeOffset BucketStart, long Count);

public static class Timeseries
{
    private const int MostBuckets = 10_000;

    internal static readonly string TooManyBuckets =
        $"must be longer, or the window shorter: it touches more than {MostBuckets} buckets";

    /// <summary>No bucket starts before the first moment that .NET knows.</summary>
    internal static readonly string Sql = SqlOf(CounterTables.Current.Levels, Scope.All);

    private static readonly string SqlOfIssue = SqlOf(CounterTables.Current.GroupCounts, Scope.OneIssue);

    private static string SqlOf(string table, Scope scope) =>
        $"""
        select greatest(date_trunc(@interval, parts.at, @tz), timestamptz '0001-01-01 00:00Z') as bucket_start,
          sum(parts.n)::bigint
        from (
          select counted.bucket as at, sum(counted.n) as n
          from {WindowSql.Counted("bucket, count as n", table, scope)} group by counted.bucket
          union all
          select loose.timestamp, 1 from {WindowSql.Loose("timestamp", scope)}
          union all
          select filled.at, 0
          from generate_series(@since, @until - interval '1 microsecond', @grain) as filled(at) where @fill
          union all
          select @until - interval '1 microsecond', 0 where @fill) as parts
        group by 1 order by 1
        """;

    /// <param name="Window">Half-open.</param>
    /// <param name="Level">Canonical; null for all.</param>
    /// <param name="Zone">In which the buckets start.</param>
    /// <param name="Fill">Buckets without events too.</param>
    /// <param name="Interval">The size of the buckets.</param>
    /// <param name="Issue">Only events of this issue; null: of all.</param>
    public sealed record Request(
        Window Window, string? Level, Zone Zone, bool Fill, Interval Interval, int? Issue = null);

    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="interval">MINUTE, HOUR (default) or DAY, in any case. The window may touch at most 10,000 of them.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="tz">IANA time zone, in which minutes, hours and days start; UTC if absent.</param>
    /// <param name="fill">true: buckets without events too, with count 0.</param>
    /// <param name="issue">Only events of the issue of this number.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(
        string? since, string? until, string? interval, string? level, string? tz, string? fill, string? issue,
        FieldErrors errors)
    {
        var request = new Request(
            Window.Parse(since, until, errors),
            Levels.Optional(level, errors),
            Zone.Optional(tz, errors),
            Flag.Optional("fill", fill, errors),
            Interval.Optional(interval, errors),
            IssueNumber.Optional(issue, errors));

        // How many buckets there are can only be said of a window, an interval and a zone that are valid.
        if (errors.Count == 0 && IsTooFine(request.Interval, request.Zone, request.Window))
            errors.AddFault("interval", TooManyBuckets);
        return (request, errors.OrNone());
    }

    internal static bool IsTooFine(Interval interval, Zone zone, Window window) =>
        interval.CountIn(zone, window) > MostBuckets;

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>Events of a window over time.</summary>
    [WolverineGet("/apps/{app_id}/stats/timeseries", OperationId = "GetTimeseries")]
    [ProducesResponseType<Series>(200), Refuses(400, 404)]
    public static async Task<Series> Get(
        Application application, Request request, Snapshots snapshots, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        var issue = await view.FindIssueAsync(request.Issue, stop);
        var buckets = await CountAsync(view, application.Id, request, issue, stop);
        return new(request.Interval.Name, request.Window.Since, request.Window.Until, buckets);
    }

    public static ProblemDetails OnException(UnknownZoneException _) => Problem.Invalid("tz", Zone.Expected);

    /// <exception cref="UnknownZoneException">The zone is known here, but not to the database.</exception>
    internal static async Task<List<BucketCount>> CountAsync(
        Snapshot view, int applicationId, Request request, IssueGroups? issue, CancellationToken stop)
    {
        var (window, level, zone, fill, interval, _) = request;
        var ladder = issue is null ? Step.OfLevels : Step.OfGroups;
        var question = new Question(applicationId, window, whole => interval.Cut(zone, whole, ladder), level,
            ("interval", interval.Name), ("tz", zone.Name), ("fill", fill), ("grain", interval.Grain))
        {
            Issue = issue,
        };
        try
        {
            return await view.QueryAsync(
                issue is null ? Sql : SqlOfIssue, question,
                row => new BucketCount(row.GetFieldValue<DateTimeOffset>(0), row.GetInt64(1)), stop);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.InvalidParameterValue)
        {
            throw new UnknownZoneException(zone.Name, e);
        }
    }
}
