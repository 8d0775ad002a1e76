using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

public static class ReadIssue
{
    /// <summary>Senders name releases in their own words.</summary>
    private const int Most = 1_000;

    private const string ByLevels = "level", ByReleases = "release", ByEnvironments = "environment";

    /// <summary>What the events have in common, of each kind the most frequent: planning it once costs less.</summary>
    private static readonly string SharesSql =
        $"""
        select ranked.kind, ranked.named, ranked.n
        from (
          select shares.kind, shares.named, shares.n,
            row_number() over (partition by shares.kind order by shares.n desc, shares.named) as place
          from (
            select
              case
                when grouping(parts.level) = 0 then '{ByLevels}'
                when grouping(parts.release) = 0 then '{ByReleases}'
                else '{ByEnvironments}' end as kind,
              coalesce(parts.level, parts.release, parts.environment) as named, sum(parts.n)::bigint as n
            from (
              select counted.level, counted.release, counted.environment, counted.n
              from {WindowSql.Counted(
                "level, release, environment, count as n", CounterTables.Current.GroupCounts, Scope.OneIssue)}
              union all
              select loose.level, loose.release, loose.environment, 1
              from {WindowSql.Loose(
                $"{LogRow.Level} as level, {Scope.ReleaseOfLog} as release, {Scope.EnvironmentOfLog} as environment",
                Scope.OneIssue)}) as parts
            group by grouping sets ((parts.level), (parts.release), (parts.environment))) as shares) as ranked
        where ranked.place <= {Most}
        order by ranked.kind, ranked.place
        """;

    /// <param name="Window">Null: from the issue's first event to its last.</param>
    public sealed record Request(int Number, Window? Window, Zone Zone, Interval? Interval);

    /// <param name="number">Of the issue, or of one that was merged into it.</param>
    /// <param name="since">Start of the window (RFC 3339), part of it; the issue's first event if absent.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it; after its last event if absent.</param>
    /// <param name="interval">MINUTE, HOUR or DAY, of the series; if absent the shortest with at most 200 buckets.</param>
    /// <param name="tz">IANA time zone, in which hours and days start; UTC if absent.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(
        string number, string? since, string? until, string? interval, string? tz, FieldErrors errors)
    {
        var request = new Request(
            IssueNumber.Required(number, errors),
            since is null && until is null ? null : Window.Optional(since, until, errors),
            Zone.Optional(tz, errors),
            interval is null ? null : Interval.Optional(interval, errors));
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// One issue, with the events of a window over time, by level, by release and by environment. The number of an
    /// issue that was merged answers the one that it is part of now.
    /// </summary>
    [WolverineGet("/apps/{app_id}/issues/{number}", OperationId = "GetIssue")]
    [ProducesResponseType<IssueDetails>(200), Refuses(400, 404, 503)]
    public static async Task<IResult> Get(
        Application application, Request request, Snapshots snapshots, IDocumentStore store, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadWholeTailAsync(stop);
        var (details, isTooFine) = await FindAsync(view, application.Id, request, stop);
        if (isTooFine) return Refusal.Invalid("interval", Timeseries.TooManyBuckets);
        if (details is null) return NoSuchIssue;
        var history = await IssueHistory.ReadAsync(application.Id, details.Number, store, view.Connection, stop);
        return Results.Ok(details with { History = history.Items });
    }

    public static ProblemDetails OnException(UnknownZoneException _) => Problem.Invalid("tz", Zone.Expected);

    internal static IResult NoSuchIssue => Refusal.NotFound("There is no such issue.");

    /// <returns>Null if there is no such issue, or if its series would have too many buckets.</returns>
    /// <exception cref="UnknownZoneException">The zone is known here, but not to the database.</exception>
    private static async Task<(IssueDetails? Details, bool IsTooFine)> FindAsync(
        Snapshot view, int applicationId, Request request, CancellationToken stop)
    {
        var number = request.Number;
        if (await IssueGroups.FindAsync(view, applicationId, number, stop) is not { } groups) return (null, false);
        var all = await FindIssues.OneAsync(view, applicationId, groups, request.Window ?? Window.Everything, stop);
        if (all is null) return (null, false);

        var window = Clip(request.Window, all);
        var seen = SeenIn(window, all);
        var interval = request.Interval ?? Interval.For(window, request.Zone, most: 200);
        if (seen is { } touched && Timeseries.IsTooFine(interval, request.Zone, touched)) return (null, true);
        var question = new Question(applicationId, window, Step.OfGroups) { Issue = groups };
        var item = (await FindIssues.DescribeAsync(view, applicationId, [all], stop))[0];
        var shares = await view.QueryAsync(
            SharesSql, question, row => (Kind: row.GetString(0), Named: row.GetString(1), Count: row.GetInt64(2)),
            stop);
        var byKind = shares.ToLookup(share => share.Kind);
        var details = new IssueDetails(
            item.Id, item.Number, item.Title, item.Type, item.Place, item.Level, item.State, item.FirstSeen,
            item.LastSeen, item.Count, item.CountInWindow, item.AssignedTo, item.Keys, window.Since, window.Until,
            interval.Name,
            seen is { } part ? await SeriesAsync(part) : [],
            [.. byKind[ByLevels].Select(share => new LevelCount(share.Named, share.Count))],
            [.. byKind[ByReleases].Select(share => new ReleaseCount(NullIfEmpty(share.Named), share.Count))],
            [.. byKind[ByEnvironments].Select(share => new EnvironmentCount(NullIfEmpty(share.Named), share.Count))],
            History: [], view.Marks.End);
        return (details, false);

        Task<List<BucketCount>> SeriesAsync(Window part)
        {
            var series = new Timeseries.Request(part, Level: null, request.Zone, Fill: false, interval);
            return Timeseries.CountAsync(view, applicationId, series, groups, stop);
        }
    }

    /// <summary>The part of a window that lies between the issue's first and last event; null if none does.</summary>
    private static Window? SeenIn(Window window, FoundIssue issue)
    {
        var since = issue.FirstSeen > window.Since ? issue.FirstSeen : window.Since;
        var end = issue.LastSeen.AddMicroseconds(1);
        var until = end < window.Until ? end : window.Until;
        return until > since ? new(since, until) : null;
    }

    /// <summary>
    /// The window's ends that were not asked for are those of the issue. If the one that was lies beyond the issue, the
    /// window is next to it, and holds none of its events.
    /// </summary>
    private static Window Clip(Window? asked, FoundIssue issue)
    {
        var (since, until) = asked ?? Window.Everything;
        if (since == DateTimeOffset.MinValue) since = issue.FirstSeen;
        if (until == DateTimeOffset.MaxValue) until = issue.LastSeen.AddMicroseconds(1);
        if (since < until) return new(since, until);
        return until <= issue.FirstSeen ? Before(until) : After(since);
    }

    /// <summary>The microsecond before a moment, or the first that there is.</summary>
    private static Window Before(DateTimeOffset moment) => moment > DateTimeOffset.MinValue
        ? new(moment.AddMicroseconds(-1), moment)
        : new(moment, moment.AddMicroseconds(1));

    /// <summary>The microsecond after a moment, or the last that there is.</summary>
    private static Window After(DateTimeOffset moment) => moment < DateTimeOffset.MaxValue.AddMicroseconds(-1)
        ? new(moment, moment.AddMicroseconds(1))
        : new(moment.AddMicroseconds(-1), moment);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
