using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>The most frequent messages of a window, by count, then the last seen, then the message.</summary>
/// <param name="Limit" example="10">As asked for.</param>
public sealed record FrequentMessages(int Limit, IReadOnlyList<FrequentMessage> Items);

/// <summary>A message and its events.</summary>
/// <param name="Message" example="Payment declined">As stored.</param>
/// <param name="Count" example="18">Events of the window with exactly this message.</param>
/// <param name="FirstSeen" example="2026-01-30T08:00:01.5Z">The earliest received_at among them.</param>
/// <param name="LastSeen" example="2026-01-31T12:34:57.012345Z">The latest received_at among them.</param>
/// <param name="Issue" example="7">The number of the issue that the latest of them belongs to; null for a moment, until
/// nothing before its first event is still being written.</param>
public sealed record FrequentMessage(
    string Message, long Count, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, int? Issue);

public static class TopMessages
{
    private const int Most = 100;

    private const string Columns = "message_hash as hash, count as n, first_seen, last_seen";

    /// <summary>The text of a message that was closed, as SQL.</summary>
    private static readonly string TextOfHash =
        $"(select texts.message from {CounterTables.Current.Texts} as texts where texts.message_hash = most.hash)";

    /// <summary>The text of a message of an open minute, as SQL.</summary>
    private static readonly string TextInOpenMinute =
        $"""
        (select minutes.message from {CounterTables.Current.OpenMinutes} as minutes
             where minutes.tenant_id = @tenant and minutes.bucket = {Step.Minute.BucketOf("most.last_seen")}
               and minutes.message_hash = most.hash limit 1)
        """;

    /// <summary>The text of a message whose row of texts is lost, as SQL.</summary>
    private static readonly string TextInLog =
        $"""
        (select {LogRow.Message} from {LogSchema.Name}.mt_events as log
           where log.tenant_id = @tenant and {LogRow.IsError} and log.timestamp = answer.last_seen
             and {CounterFold.HashOf(LogRow.Message)} = answer.hash limit 1)
        """;

    /// <summary>The issue of the latest event with a message, as SQL.</summary>
    private static string IssueIn(Scope scope) =>
        $"""
        (select {IssueMembers.IssueOf("@tenant", "latest.number")}
         from (
           select {IssueGroups.NumberOf("found.key")} as number
           from (
             select {Scope.KeyOfLog} as key from {LogSchema.Name}.mt_events as log
             where log.tenant_id = @tenant and {LogRow.IsError} and log.timestamp = answer.last_seen
               and (@level::text is null or {LogRow.Level} = @level)
               and {CounterFold.HashOf(LogRow.Message)} = answer.hash {scope.Loose}
             order by log.seq_id desc limit 1) as found) as latest)
        """;

    internal static readonly string Sql = SqlOf(Scope.AllGroups), SqlOfIssue = SqlOf(Scope.OneIssue);

    /// <summary>
    /// Each part costs what it counts, however many messages tie. Events that are read from the log bring their message
    /// along, once for each message. For those that were counted before, only what may be answered is looked up, each
    /// by a key: in the texts, or in the open minute it was last seen in. A text that somebody has deleted is found in
    /// the log, once it is known to be answered.
    /// </summary>
    private static string SqlOf(Scope scope) =>
        $"""
        with loose_messages as (
          select {CounterFold.HashOf("sent.message")} as hash, sent.message, sent.n, sent.first_seen, sent.last_seen
          from (
            select loose.message, count(*) as n, min(loose.timestamp) as first_seen, max(loose.timestamp) as last_seen
            from {WindowSql.Loose($"timestamp, {LogRow.Message} as message", scope)}
            group by loose.message) as sent),
        messages as (
          select parts.hash, sum(parts.n)::bigint as n, min(parts.first_seen) as first_seen,
            max(parts.last_seen) as last_seen, max(parts.message collate "C") as message
          from (
            select counted.hash, counted.n, counted.first_seen, counted.last_seen, null::text as message
            from {WindowSql.Counted(Columns, CounterTables.Current.Messages, scope)}
            union all
            select loose_messages.hash, loose_messages.n, loose_messages.first_seen, loose_messages.last_seen,
              loose_messages.message
            from loose_messages) as parts
          group by parts.hash),
        most as (
          select messages.* from messages
          order by messages.n desc, messages.last_seen desc fetch first @limit rows with ties),
        named as (
          select most.n, most.first_seen, most.last_seen, most.hash,
            coalesce(most.message, {TextOfHash}, {TextInOpenMinute}) as message
          from most),
        answer as (
          select named.* from named
          order by named.n desc, named.last_seen desc, named.message collate "C" limit @limit)
        select coalesce(answer.message, {TextInLog}, ''), answer.n, answer.first_seen, answer.last_seen,
          {IssueIn(scope)}
        from answer
        order by answer.n desc, answer.last_seen desc, answer.message collate "C"
        """;

    /// <param name="Window">Half-open.</param>
    /// <param name="Level">Canonical; null for all.</param>
    /// <param name="Limit">So many messages at most.</param>
    /// <param name="Issue">Only events of this issue; null: of all.</param>
    public sealed record Request(Window Window, string? Level, int Limit, int? Issue = null);

    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="limit">1 to 100; 10 if absent.</param>
    /// <param name="level">Only this level, in any case.</param>
    /// <param name="issue">Only events of the issue of this number.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Request, ProblemDetails) Validate(
        string? since, string? until, string? limit, string? level, string? issue, FieldErrors errors)
    {
        var request = new Request(
            Window.Parse(since, until, errors),
            Levels.Optional(level, errors),
            Number.Optional("limit", limit, otherwise: 10, least: 1, Most, errors),
            IssueNumber.Optional(issue, errors));
        return (request, errors.OrNone());
    }

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>The most frequent messages of a window.</summary>
    [WolverineGet("/apps/{app_id}/stats/top-messages", OperationId = "GetTopMessages")]
    [ProducesResponseType<FrequentMessages>(200), Refuses(400, 404)]
    public static async Task<FrequentMessages> Get(
        Application application, Request request, Snapshots snapshots, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        await view.ReadTailAsync(stop);
        var issue = await view.FindIssueAsync(request.Issue, stop);
        return new(request.Limit, await CountAsync(view, application.Id, request, issue, stop));
    }

    internal static Task<List<FrequentMessage>> CountAsync(
        Snapshot view, int applicationId, Request request, IssueGroups? issue, CancellationToken stop)
    {
        var question = new Question(
            applicationId, request.Window, Step.OfMessages, request.Level, ("limit", request.Limit))
        {
            Issue = issue,
        };
        return view.QueryAsync(issue is null ? Sql : SqlOfIssue, question, Read, stop);
    }

    private static FrequentMessage Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetInt64(1), row.GetFieldValue<DateTimeOffset>(2), row.GetFieldValue<DateTimeOffset>(3),
        row.IsDBNull(4) ? null : row.GetInt32(4));
}
