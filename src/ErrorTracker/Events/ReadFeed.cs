using System.Globalization;
using System.Text;
using ErrorTracker.Applications;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Events;

/// <summary>
/// Events in the order in which the log numbers them, up to the high-water mark. Below the mark nothing is still being
/// written, so a reader that keeps `next` gets each event once and misses none, however slow its upload was.
/// </summary>
public static class ReadFeed
{
    private const string Latest = "latest";

    private const string BeyondTheLog = "lies beyond the log: it is of another log, or of one that was restored";

    private const string MarksSql = $"select {LogProgress.Mark}, {LogProgress.LogEnd}";

    /// <summary>
    /// By the log's own key, so that ingest pays for no index of the feed: events of other applications are passed over.
    /// </summary>
    private static readonly string Sql = EventCursor.Declare(
        $"""
        select {EventCursor.Columns} from (
          select e.* from {LogSchema.Name}.mt_events as e
          where e.seq_id > @after and e.seq_id <= @upto order by e.seq_id offset 0) as part
        where tenant_id = @tenant and {LogRow.IsError} limit @limit
        """);

    /// <summary>Numbers of the log that are searched at once, and by one request.</summary>
    private const long Range = 20_000, MostSearched = 10 * Range;

    /// <param name="Limit">So many at most.</param>
    /// <param name="After">Where to go on; null for the end of the feed.</param>
    public sealed record Request(int Limit, long? After);

    /// <param name="after">`next` of the answer before. From the start if absent; `latest`: no events, and `next` for
    /// those to come.</param>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(string? after, string? limit, FieldErrors errors)
    {
        var request = new Request(
            Number.Optional("limit", limit, otherwise: ListEvents.DefaultPage, least: 1, ListEvents.LongestPage, errors),
            PositionOf(after, errors));
        return (request, errors.OrNone());
    }

    private static long? PositionOf(string? after, FieldErrors errors)
    {
        if (after is null) return 0;
        if (after == Latest) return null;
        if (long.TryParse(after, NumberStyles.None, CultureInfo.InvariantCulture, out var position)) return position;
        errors.AddFault("after", $"must be next of an answer before, or {Latest}");
        return 0;
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// The events of an application in the order of the log, each once. Ask again with `after` = `next`, until that stays
    /// the same: one answer searches 200,000 events of all applications at most, so it may be empty although others
    /// follow. An event is there when nothing before it is still being written, usually within a second.
    /// </summary>
    [WolverineGet("/apps/{app_id}/feed", OperationId = "GetFeed")]
    [ProducesResponseType<EventFeed>(200), Refuses(400, 404, 503)]
    public static Task<IResult> Get(
        Application application, Request request, HttpContext http, LogDatabases databases, PageMemory memory,
        CancellationToken stop)
    {
        var page = memory.NewPage(application.Id);
        return PageAnswer.OfAsync(page, async () =>
        {
            if (!page.TryReserve(EventJson.Overhead)) return PageAnswer.Busy(http);
            await using var reader = await databases.Of(application.Id).OpenReaderAsync(application.Id, stop);
            var (mark, end) = await MarksAsync(reader.Connection, stop);
            if (request.After > Math.Max(mark, end)) return Refusal.Invalid("after", BeyondTheLog);

            page.Write("{\"items\":["u8);
            var after = request.After ?? mark;
            var next = await FillAsync(page, reader.Connection, application.Id, after, mark, request.Limit, stop);
            if (next is null) return PageAnswer.Busy(http);
            page.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"],\"next\":\"{next}\"}}")));
            return null;
        });
    }

    private static async Task<(long Mark, long End)> MarksAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(MarksSql, connection);
        await using var row = await command.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>
    /// Fills the page from the first range of the log that holds events of the application. The mark was read before:
    /// all below it is committed and seen.
    /// </summary>
    /// <returns>Where to go on; null if there is no memory for an event.</returns>
    internal static async Task<long?> FillAsync(
        Page page, NpgsqlConnection connection, int applicationId, long after, long mark, int most, CancellationToken stop)
    {
        for (var end = Math.Min(mark, after + MostSearched); after < end;)
        {
            var upto = Math.Min(end, after + Range);
            var found = await FillFromAsync(page, connection, applicationId, after, upto, most, stop);
            if (found is not { } filled) return null;
            after = filled.HasMore ? filled.Last : upto;
            if (filled.Events > 0) break;
        }
        return after;
    }

    private static async Task<Filled?> FillFromAsync(
        Page page, NpgsqlConnection connection, int applicationId, long after, long upto, int most, CancellationToken stop)
    {
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue("tenant", TenantId.Of(applicationId));
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("upto", upto);
        command.Parameters.AddWithValue("limit", most + 1);
        return await EventCursor.FillAsync(page, command, applicationId, most, stop);
    }
}
