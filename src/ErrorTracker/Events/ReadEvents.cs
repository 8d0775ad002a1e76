using System.Globalization;
using System.Text;
using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Events;

public static class ReadEvents
{
    internal const int LongestPage = 50, DefaultPage = 20;

    internal static readonly string AnyLevel = Page(""), OneLevel = Page($" and {LogRow.Level} = @level");

    private static readonly string ById =
        $"""
        select {EventCursor.Columns} from {LogSchema.Name}.mt_events
        where tenant_id = @tenant and {LogRow.IsError} and id in (@id, @named) order by id = @id desc limit 1
        """;

    /// <summary>
    /// Rows that are skipped are found in an index only; those of the page are then read. They are sorted before their
    /// data is, so that it is read row by row, as far as the page goes.
    /// </summary>
    private static string Page(string filter) =>
        $"""
        select {EventCursor.Columns} from (
          select events.seq_id, events.id, events.timestamp, events.data from (
            select seq_id from {LogSchema.Name}.mt_events
            where tenant_id = @tenant and {LogRow.IsError} and timestamp >= @since and timestamp < @until{filter}
            order by timestamp desc, seq_id desc offset @offset limit @limit) as page
          join {LogSchema.Name}.mt_events as events on events.seq_id = page.seq_id
          order by events.timestamp desc, events.seq_id desc offset 0) as sorted
        """;

    /// <summary>
    /// The events of an application, newest first. A page ends after `limit` events or 8 MiB; `next_offset` continues
    /// after its last one.
    /// </summary>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="offset">How many to skip; 0 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="since">Only events received then (RFC 3339) or later.</param>
    /// <param name="until">Only events received before then (RFC 3339).</param>
    [WolverineGet("/apps/{app_id}/events", OperationId = "ListEvents")]
    [ProducesResponseType<EventPage>(200), Refuses(400, 404, 503)]
    public static async Task<IResult> List(string app_id, string? limit, string? offset, string? level, string? since, string? until,
        HttpContext http, FieldErrors errors, ApplicationDirectory applications, Snapshot snapshot, [FromServices] PageMemory memory,
        CancellationToken stop)
    {
        var most = Number.Optional("limit", limit, DefaultPage, 1, LongestPage, errors);
        var skipped = Number.Optional("offset", offset, 0, 0, int.MaxValue, errors);
        var wanted = Levels.Optional(level, errors);
        var (from, to) = (Instant.Optional("since", since, errors), Instant.Optional("until", until, errors));
        if (!errors.ContainsKey("since") && !errors.ContainsKey("until") && from >= to) errors["since"] = ["must be before until"];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        var window = new Window(from ?? DateTimeOffset.MinValue, to ?? DateTimeOffset.MaxValue);
        var question = new Question(application!.Id, window, Step.OfLevels, wanted);
        var page = memory.NewPage(application.Id);
        return await PageAnswer.OfAsync(page, async () =>
        {
            if (!page.TryReserve(EventJson.Overhead)) return PageAnswer.Busy(http);
            page.Write("{\"items\":["u8);
            if (await FillAsync(page, snapshot, question, skipped, most, stop) is not { } filled) return PageAnswer.Busy(http);
            var next = (int)Math.Min((long)skipped + filled.Events, int.MaxValue);
            var answered = filled.HasMore ? next.ToString(CultureInfo.InvariantCulture) : "null";
            page.Write(Encoding.ASCII.GetBytes($"],\"next_offset\":{answered}}}"));
            return null;
        });
    }

    private static async Task<Filled?> FillAsync(Page page, Snapshot snapshot, Question question, int skipped, int most,
        CancellationToken stop)
    {
        await using var view = await snapshot.TakeAsync(question.ApplicationId, stop);
        if (await PageStart.FindAsync(view, question, skipped, stop) is not { } start) return new Filled();
        var window = question.Window with { Until = start.Until };
        var rows = question with { Window = window, More = [("offset", start.Skip), ("limit", most + 1)] };
        var first = view.Ask(EventCursor.Declare(question.Level is null ? AnyLevel : OneLevel), rows);
        return await EventCursor.FillAsync(page, first, question.ApplicationId, most, stop);
    }

    /// <summary>One event, by its id or by the event_id that its sender gave it.</summary>
    [WolverineGet("/apps/{app_id}/events/{id}", OperationId = "GetEvent")]
    [ProducesResponseType<EventItem>(200), Refuses(400, 404, 503)]
    public static async Task<IResult> One(string app_id, string id, HttpContext http, ApplicationDirectory applications,
        [FromServices] LogDatabases databases, [FromServices] PageMemory memory, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;
        if (EventIds.Parse(id) is not { } parsed) return NoSuchEvent;

        var page = memory.NewPage(application!.Id);
        return await PageAnswer.OfAsync(page, async () =>
        {
            await using var reader = await databases.Of(application.Id).OpenReaderAsync(application.Id, stop);
            await using var command = new NpgsqlCommand(ById, reader.Connection);
            command.Parameters.AddWithValue("tenant", application.Id.ToString());
            command.Parameters.AddWithValue("id", parsed);
            command.Parameters.AddWithValue("named", PendingEvent.IdOf(application.Id, parsed));
            return await EventCursor.FillAsync(page, command, application.Id, 1, stop) switch
            {
                null => PageAnswer.Busy(http),
                { Events: 0 } => NoSuchEvent,
                _ => null,
            };
        });
    }

    private static IResult NoSuchEvent => Refusal.NotFound("There is no such event.");
}
