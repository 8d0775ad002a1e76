using System.Globalization;
using System.Text;
using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
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
    private const string Latest = "latest", BeyondTheLog = "lies beyond the log: it is of another log, or of one that was restored";

    private const string MarksSql =
        $"""
        select coalesce((select progress.last_seq_id from {CounterShard.Progress} as progress where progress.name = 'HighWaterMark'), 0),
          coalesce((select max(events.seq_id) from {CounterTables.Schema}.mt_events as events), 0)
        """;

    /// <summary>
    /// No other index is in this order, so PostgreSQL takes the one that was made for it. With <c>tenant_id = @tenant</c>
    /// it walks the primary key instead where an application has many events, through those of all others.
    /// </summary>
    internal static readonly string Rows =
        $"""
        select {EventCursor.Columns} from {CounterTables.Schema}.mt_events
        where {CounterFold.IsError} and (tenant_id, seq_id) > (@tenant, @after) and (tenant_id, seq_id) <= (@tenant, @mark)
        order by tenant_id, seq_id limit @limit
        """;

    /// <summary>It would also sort all that an application has, where it believes that to be little.</summary>
    internal const string Settings = "set local enable_incremental_sort = off";

    private static readonly string Sql = $"{Settings}; {EventCursor.Declare(Rows)}";

    /// <summary>
    /// The events of an application in commit order, each once. Ask again with `after` = `next`; new events are there
    /// within a second.
    /// </summary>
    /// <param name="after">`next` of the answer before. From the start if absent; `latest`: no events, and `next` for
    /// those to come.</param>
    /// <param name="limit">1 to 50; 20 if absent.</param>
    [WolverineGet("/apps/{app_id}/feed")]
    [ProducesResponseType<EventFeed>(200), Refuses(400, 404, 503)]
    public static async Task<IResult> Get(string app_id, string? after, string? limit, HttpContext http, FieldErrors errors,
        ApplicationDirectory applications, [FromServices] LogDatabase database, [FromServices] PageMemory memory,
        CancellationToken stop)
    {
        var most = Number.Optional("limit", limit, ReadEvents.DefaultPage, 1, ReadEvents.LongestPage, errors);
        var position = 0L;
        if (after is not null and not Latest && !TryParse(after, out position))
            errors["after"] = [$"must be next of an answer before, or {Latest}"];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        var page = memory.NewPage(application!.Id);
        return await PageAnswer.OfAsync(page, async () =>
        {
            if (!page.TryReserve(EventJson.Overhead)) return PageAnswer.Busy(http);
            await using var reader = await database.OpenReaderAsync(application.Id, stop);
            var (mark, end) = await MarksAsync(reader.Connection, stop);
            if (position > Math.Max(mark, end)) return Refusal.Invalid("after", BeyondTheLog);
            if (after == Latest) position = mark;

            page.Write("{\"items\":["u8);
            var read = await FillAsync(page, reader.Connection, application.Id, position, mark, most, stop);
            if (read is not { } filled) return PageAnswer.Busy(http);
            var next = (filled.Events > 0 ? filled.Last : position).ToString(CultureInfo.InvariantCulture);
            page.Write(Encoding.ASCII.GetBytes($"],\"next\":\"{next}\"}}"));
            return null;
        });
    }

    private static bool TryParse(string text, out long position) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out position);

    private static async Task<(long Mark, long End)> MarksAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(MarksSql, connection);
        await using var row = await command.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        return (row.GetInt64(0), row.GetInt64(1));
    }

    /// <summary>The mark was read in a snapshot before this one: all below it is committed and seen.</summary>
    private static async Task<Filled?> FillAsync(Page page, NpgsqlConnection connection, int applicationId, long after, long mark, int most,
        CancellationToken stop)
    {
        if (after >= mark) return new Filled();
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var command = new NpgsqlCommand(Sql, connection);
        command.Parameters.AddWithValue("tenant", applicationId.ToString());
        command.Parameters.AddWithValue("after", after);
        command.Parameters.AddWithValue("mark", mark);
        command.Parameters.AddWithValue("limit", most + 1);
        return await EventCursor.FillAsync(page, command, applicationId, most, stop);
    }
}
