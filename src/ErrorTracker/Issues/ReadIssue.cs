using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
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

    private static readonly string
        ByReleaseSql = CountsBy("release", Scope.ReleaseOfLog),
        ByEnvironmentSql = CountsBy("environment", Scope.EnvironmentOfLog);

    private static string CountsBy(string column, string ofLog) =>
        $"""
        select parts.named, sum(parts.n)::bigint from (
          select counted.named, counted.n
          from {WindowSql.Counted($"{column} as named, count as n", CounterTables.Current.GroupCounts, Scope.OneIssue)}
          union all
          select loose.named, 1 from {WindowSql.Loose($"{ofLog} as named", Scope.OneIssue)}) as parts
        group by parts.named order by 2 desc, 1
        limit {Most}
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
        var details = new IssueDetails(
            item.Id, item.Number, item.Title, item.Type, item.Place, item.Level, item.State, item.FirstSeen,
            item.LastSeen, item.Count, item.CountInWindow, item.AssignedTo, item.Keys, window.Since, window.Until,
            interval.Name,
            seen is { } part ? await SeriesAsync(part) : [],
            await ByLevel.CountAsync(view, applicationId, window, groups, stop),
            await view.QueryAsync(ByReleaseSql, question,
                row => new ReleaseCount(NullIfEmpty(row.GetString(0)), row.GetInt64(1)), stop),
            await view.QueryAsync(ByEnvironmentSql, question,
                row => new EnvironmentCount(NullIfEmpty(row.GetString(0)), row.GetInt64(1)), stop),
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

    /// <summary>The window's ends that were not asked for are those of the issue, if it reaches into the window.</summary>
    private static Window Clip(Window? asked, FoundIssue issue)
    {
        var (since, until) = asked ?? Window.Everything;
        if (since == DateTimeOffset.MinValue && until > issue.FirstSeen) since = issue.FirstSeen;
        if (until == DateTimeOffset.MaxValue && since <= issue.LastSeen) until = issue.LastSeen.AddMicroseconds(1);
        return new(since, until > since ? until : since.AddMicroseconds(1)); // both may be the first moment of all
    }

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;
}
