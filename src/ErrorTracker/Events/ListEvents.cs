using System.Globalization;
using System.Text;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Events;

public static class ListEvents
{
    internal const int LongestPage = 50, DefaultPage = 20;

    internal static readonly string AnyLevel = Rows(""), OneLevel = Rows($" and {LogRow.Level} = @level");

    /// <summary>
    /// Rows that are skipped are found in an index only; those of the page are then read. They are sorted before their
    /// data is, so that it is read row by row, as far as the page goes.
    /// </summary>
    private static string Rows(string filter) =>
        $"""
        select {EventCursor.Columns} from (
          select events.seq_id, events.id, events.timestamp, events.data from (
            select seq_id from {LogSchema.Name}.mt_events
            where tenant_id = @tenant and {LogRow.IsError} and timestamp >= @since and timestamp < @until{filter}
            order by timestamp desc, seq_id desc offset @offset limit @limit) as page
          join {LogSchema.Name}.mt_events as events on events.seq_id = page.seq_id
          order by events.timestamp desc, events.seq_id desc offset 0) as sorted
        """;

    /// <param name="Limit">So many at most.</param>
    /// <param name="Offset">So many are skipped.</param>
    /// <param name="Level">Canonical; null for all.</param>
    /// <param name="Window">Half-open; all of time if neither end was given.</param>
    public sealed record Request(int Limit, int Offset, string? Level, Window Window);

    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="offset">How many to skip; 0 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="since">Only events received then (RFC 3339) or later.</param>
    /// <param name="until">Only events received before then (RFC 3339).</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(
        string? limit, string? offset, string? level, string? since, string? until, FieldErrors errors)
    {
        var request = new Request(
            Number.Optional("limit", limit, otherwise: DefaultPage, least: 1, LongestPage, errors),
            Number.Optional("offset", offset, otherwise: 0, least: 0, int.MaxValue, errors),
            Levels.Optional(level, errors),
            Window.Optional(since, until, errors));
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// The events of an application, newest first. A page ends after `limit` events or 8 MiB; `next_offset` continues
    /// after its last one.
    /// </summary>
    [WolverineGet("/apps/{app_id}/events", OperationId = "ListEvents")]
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
            if (await FillAsync(page, view, application.Id, request, stop) is not { } filled) return PageAnswer.Busy(http);
            page.Write(Encoding.ASCII.GetBytes($"],\"next_offset\":{NextOffset(request, filled)}}}"));
            return null;
        });
    }

    /// <returns>Null if there is no memory for a first event.</returns>
    internal static async Task<Filled?> FillAsync(
        Page page, Snapshot view, int applicationId, Request request, CancellationToken stop)
    {
        var all = new Question(applicationId, request.Window, Step.OfLevels, request.Level);
        if (await PageStart.FindAsync(view, all, request.Offset, stop) is not { } start) return new Filled();
        var rest = all with
        {
            Window = request.Window with { Until = start.Until },
            More = [("offset", start.Skip), ("limit", request.Limit + 1)],
        };
        var rows = EventCursor.Declare(request.Level is null ? AnyLevel : OneLevel);
        return await EventCursor.FillAsync(page, view.Ask(rows, rest), applicationId, request.Limit, stop);
    }

    internal static string NextOffset(Request request, Filled filled)
    {
        if (!filled.HasMore) return "null";
        var next = Math.Min((long)request.Offset + filled.Events, int.MaxValue);
        return next.ToString(CultureInfo.InvariantCulture);
    }
}
