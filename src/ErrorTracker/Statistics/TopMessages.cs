using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>The most frequent messages of a window, by count, then the last seen, then the message.</summary>
/// <param name="Limit" example="10">As asked for.</param>
public sealed record FrequentMessages(int Limit, IReadOnlyList<FrequentMessage> Items);

/// <summary>A message and its events.</summary>
/// <param name="Message" example="Payment declined">As sent.</param>
/// <param name="Count" example="18">Events of the window with exactly this message.</param>
/// <param name="LastSeen" example="2026-01-31T12:34:57.012345Z">The latest received_at among them.</param>
public sealed record FrequentMessage(string Message, long Count, DateTimeOffset LastSeen);

public static class TopMessages
{
    private const int Most = 100;

    /// <summary>
    /// Each part costs what it counts, however many messages tie. Events that are read from the log bring their message
    /// along, once for each message. For those that were counted before, only what may be answered is looked up, each
    /// by a key: in the texts, or in the open minute it was last seen in.
    /// </summary>
    internal static readonly string Sql =
        $"""
        with loose as materialized (
          select {CounterFold.HashOf("message")} as hash, timestamp, message from {Snapshot.Loose($"timestamp, {CounterFold.Message} as message")}),
        counted as (
          select hash, sum(n)::bigint as n, max(last_seen) as last_seen from (
            select hash, n, last_seen from {Snapshot.Counted("message_hash as hash, count as n, last_seen", CounterTables.Current.Messages)}
            union all
            select hash, 1, timestamp from loose) as parts
          group by hash),
        most as (select * from counted order by n desc, last_seen desc fetch first @limit rows with ties),
        named as materialized (
          select coalesce(
            (select message from {CounterTables.Current.Texts} where message_hash = hash),
            (select message from {CounterTables.Current.OpenMinutes} where tenant_id = @tenant and bucket = {Step.Minute.BucketOf("last_seen")} and message_hash = hash limit 1),
            (select min(message) from loose where loose.hash = most.hash),
            (select {CounterFold.Message} from {CounterTables.Schema}.mt_events where tenant_id = @tenant and {CounterFold.IsError} and timestamp = last_seen and {CounterFold.HashOf(CounterFold.Message)} = hash limit 1)) as message, n, last_seen
          from most)
        select message, n, last_seen from named order by n desc, last_seen desc, message collate "C" limit @limit
        """;

    /// <summary>The most frequent messages of a window.</summary>
    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="limit">1 to 100; 10 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    [WolverineGet("/apps/{app_id}/stats/top-messages")]
    [ProducesResponseType<FrequentMessages>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(string app_id, string? since, string? until, string? limit, string? level,
        FieldErrors errors, ApplicationDirectory applications, Snapshot snapshot, CancellationToken stop)
    {
        var window = Window.Parse(since, until, errors);
        var wanted = Levels.Optional(level, errors);
        var most = Number.Optional("limit", limit, 10, 1, Most, errors);
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        var items = await snapshot.QueryAsync(Sql, new Question(application!.Id, window, Step.OfMessages, wanted, ("limit", most)),
            row => new FrequentMessage(row.GetString(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2)), stop);
        return Results.Ok(new FrequentMessages(most, items));
    }
}
