using System.Text;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Events;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Issues;

public static class ListIssueEvents
{
    /// <summary>
    /// The newest events of each of the issue's groups, by the index of their keys; then of all of them. Rows are sorted
    /// before their data is, so that it is read row by row, as far as the page goes.
    /// </summary>
    internal static readonly string Rows =
        $"""
        select {EventCursor.Columns} from (
          select events.seq_id, events.id, events.timestamp, events.data from (
            select found.seq from unnest(@keys) as own(group_key)
            cross join lateral (
              {IssueList.EventsOf("own", OfPage)}) as found
            order by found.at desc, found.seq desc offset @offset limit @limit) as page
          join {LogSchema.Name}.mt_events as events on events.seq_id = page.seq
          order by events.timestamp desc, events.seq_id desc offset 0) as sorted
        """;

    private static string OfPage(string at, string seq) =>
        $"""
        and {at} >= @since and {at} < @until
        and (@level::text is null or @level = (
          select {LogRow.Level} from {LogSchema.Name}.mt_events as log where log.seq_id = {seq}))
        order by {at} desc, {seq} desc limit @offset + @limit
        """;

    /// <summary>
    /// The tail, which no index of keys is asked for: what is made of it is in no table yet. It is newer than all else,
    /// but for what arrived at the same moment.
    /// </summary>
    private static readonly string RowsWithTail =
        $"""
        select {EventCursor.Columns} from (
          select events.seq_id, events.id, events.timestamp, events.data from (
            select parts.seq from (
              select found.at, found.seq from unnest(@keys) as own(group_key)
              cross join lateral (
                {IssueList.EventsOf("own", (at, seq) => $"and {seq} <= @folded {OfPage(at, seq)}")}) as found
              union all
              select log.timestamp, log.seq_id from {LogSchema.Name}.mt_events as log
              where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError}
                and log.timestamp >= @since and log.timestamp < @until
                and (@level::text is null or {LogRow.Level} = @level)
                and {Scope.KeyOfLog} = any(@keys)) as parts
            order by parts.at desc, parts.seq desc offset @offset limit @limit) as page
          join {LogSchema.Name}.mt_events as events on events.seq_id = page.seq
          order by events.timestamp desc, events.seq_id desc offset 0) as sorted
        """;

    /// <param name="Number">Of the issue.</param>
    /// <param name="List">Which of its events.</param>
    public sealed record Request(int Number, ListEvents.Request List);

    /// <param name="number">Of the issue, or of one that was merged into it.</param>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="offset">How many to skip; 0 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="since">Only events received then (RFC 3339) or later.</param>
    /// <param name="until">Only events received before then (RFC 3339).</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(string number, string? limit, string? offset, string? level,
        string? since, string? until, FieldErrors errors)
    {
        var (list, _) = ListEvents.Validate(limit, offset, level, since, until, errors);
        var request = new Request(IssueNumber.Required(number, errors), list);
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// The events of an issue, newest first. A page ends after `limit` events or 8 MiB; `next_offset` continues after
    /// its last one.
    /// </summary>
    [WolverineGet("/apps/{app_id}/issues/{number}/events", OperationId = "ListIssueEvents")]
    [ProducesResponseType<EventPage>(200), Refuses(400, 404, 503)]
    public static Task<IResult> Get(
        Application application, Request request, HttpContext http, Snapshots snapshots, PageMemory memory,
        CancellationToken stop)
    {
        var page = memory.NewPage(application.Id);
        return PageAnswer.OfAsync(page, async () =>
        {
            if (!page.TryReserve(EventJson.Overhead)) return PageAnswer.Busy(http);
            page.Write("{\"items\":["u8);
            await using var view = await snapshots.TakeAsync(application.Id, stop);
            await view.ReadWholeTailAsync(stop);
            if (await IssueGroups.FindAsync(view, application.Id, request.Number, stop) is not { } issue)
                return ReadIssue.NoSuchIssue;
            if (await FillAsync(page, view, application.Id, issue, request.List, stop) is not { } filled)
                return PageAnswer.Busy(http);
            page.Write(Encoding.ASCII.GetBytes($"],\"next_offset\":{ListEvents.NextOffset(request.List, filled)}}}"));
            return null;
        });
    }

    /// <returns>Null if there is no memory for a first event.</returns>
    private static async Task<Filled?> FillAsync(
        Page page, Snapshot view, int applicationId, IssueGroups issue, ListEvents.Request request,
        CancellationToken stop)
    {
        var all = new Question(applicationId, request.Window, Step.OfGroups, request.Level) { Issue = issue };
        if (await PageStart.FindAsync(view, all, request.Offset, stop) is not { } start) return new Filled();
        var rest = all with
        {
            Window = request.Window with { Until = start.Until },
            More = [("offset", start.Skip), ("limit", request.Limit + 1)],
        };
        var rows = EventCursor.Declare(view.Tail.Made.Count == 0 ? Rows : RowsWithTail);
        return await EventCursor.FillAsync(page, view.Ask(rows, rest), applicationId, request.Limit, stop);
    }
}
