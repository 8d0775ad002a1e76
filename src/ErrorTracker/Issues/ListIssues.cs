using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

public static class ListIssues
{
    private const int DefaultPage = 20, LongestPage = 100;

    /// <param name="state">unresolved (default), resolved, ignored, regressed or all.</param>
    /// <param name="level">Only issues whose newest event is of this level, in any case.</param>
    /// <param name="query">Words that title, type or place contain, in any case; `release:2.4.1` and
    /// `environment:production` for what some event names. All must hold. What an issue is called is looked at again
    /// each minute.</param>
    /// <param name="since">Only issues with events received then (RFC 3339) or later.</param>
    /// <param name="until">Only issues with events received before then (RFC 3339).</param>
    /// <param name="sort">last_seen (default), first_seen or count: the largest first.</param>
    /// <param name="limit">1 to 100; 20 if absent.</param>
    /// <param name="cursor">`next_cursor` of the answer before.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (IssueRequest, ProblemDetails) Validate(
        string? state, string? level, string? query, string? since, string? until, string? sort, string? limit,
        string? cursor, FieldErrors errors)
    {
        var order = IssueSort.Optional(sort, errors);
        var request = new IssueRequest(
            Window.Optional(since, until, errors),
            IssueState.Optional(state, errors),
            Levels.Optional(level, errors),
            IssueQuery.Optional(query, errors),
            order,
            Number.Optional("limit", limit, otherwise: DefaultPage, least: 1, LongestPage, errors),
            IssueCursor.Optional(cursor, order, errors));
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// The issues of an application: errors that are the same, the last seen first. An issue is listed when nothing
    /// before its first event is still being written, usually within a second.
    /// </summary>
    [WolverineGet("/apps/{app_id}/issues", OperationId = "ListIssues")]
    [ProducesResponseType<IssuePage>(200), Refuses(400, 404, 503)]
    public static async Task<IssuePage> Get(
        Application application, IssueRequest request, Snapshots snapshots, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadWholeTailAsync(stop);
        return await PageAsync(view, application.Id, request, stop);
    }

    internal static async Task<IssuePage> PageAsync(
        Snapshot view, int applicationId, IssueRequest request, CancellationToken stop)
    {
        var found = await FindIssues.PageAsync(view, applicationId, request, stop);
        var page = found.Take(request.Limit).ToList();
        var seenThrough = request.After?.SeenThrough ?? view.Marks.End;
        var seenAt = request.After?.SeenAt ?? view.Marks.Newest;
        var next = found.Count > page.Count ? await NextAsync() : null;
        return new(await FindIssues.DescribeAsync(view, applicationId, page, stop), next, seenThrough);

        async Task<string> NextAsync()
        {
            var unseen = request.After?.Unseen ?? await FindIssues.UnseenAsync(view, applicationId, stop);
            return new IssueCursor(request.Sort, seenThrough, unseen, seenAt, page[^1].Value, page[^1].Number).ToText();
        }
    }
}
