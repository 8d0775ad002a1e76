using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>
/// What became of all that an application sent in a window: received = accepted + duplicates + refused + not kept. And
/// what its SDKs say they never sent.
/// </summary>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
/// <param name="Received" example="105">
/// What arrived with a key that opens the application: events and items; a request that was refused as a whole counts
/// as one.
/// </param>
/// <param name="Accepted" example="100">Stored, counted as by-level counts them.</param>
/// <param name="Duplicates" example="2">Stored before, by their event_id.</param>
/// <param name="Refused">Not stored, the most frequent reason first.</param>
/// <param name="NotKept">
/// Sent by SDKs and not kept, as this product has no place for it; the most frequent category first.
/// </param>
/// <param name="ClientDropped">
/// Dropped by SDKs before they sent it, by their client reports that arrived in the window; the most first. At most 100
/// pairs of reason and category and one of other and other, in which all that is beyond is counted.
/// </param>
public sealed record LossReport(
    DateTimeOffset Since, DateTimeOffset Until, long Received, long Accepted, long Duplicates,
    IReadOnlyList<RefusedCount> Refused, IReadOnlyList<NotKeptCount> NotKept,
    IReadOnlyList<ClientDropCount> ClientDropped);

/// <param name="Reason" example="invalid">
/// invalid, conflicting, too large, media type, too slow, rate limited, over quota, no room or no database, or other.
/// </param>
/// <param name="Count" example="1">Events.</param>
public sealed record RefusedCount(string Reason, long Count);

/// <param name="Category" example="transaction">
/// transaction, span, session, attachment, profile, profile_chunk, replay, monitor, metric_bucket, trace_metric,
/// log_item, feedback, user_report, security, client_report or unknown.
/// </param>
/// <param name="Count" example="2">Items, or the things in them where an item says how many it holds.</param>
public sealed record NotKeptCount(string Category, long Count);

/// <param name="Reason" example="network_error">In the SDK's words.</param>
/// <param name="Category" example="error">Of data, in the SDK's words.</param>
/// <param name="Count" example="7">As the SDK counts.</param>
public sealed record ClientDropCount(string Reason, string Category, long Count);

public static class Loss
{
    private const string InWindow = "tally.application_id = @tenant::int and tally.at >= @since and tally.at < @until";

    /// <summary>Refusals and duplicates have a reason, and what is not kept a category: the name is one of them.</summary>
    private const string OutcomesSql =
        $"""
        select tally.kind, tally.reason || tally.category as name, {OutcomeTally.Sum}
        from {OutcomeTally.Table} as tally
        where {InWindow} and tally.kind <> '{OutcomeKind.ClientDropped}'
        group by 1, 2
        order by 3 desc, 2
        """;

    /// <summary>To sort by it puts the pair that stands for others last.</summary>
    private static readonly string IsOther =
        $"(pairs.reason, pairs.category) = ('{DropPair.Other.Reason}', '{DropPair.Other.Category}')";

    private static readonly string IsNamed = $"ranked.place <= {DropPairs.Most}";

    /// <summary>
    /// Each node and day has pairs of its own, and so have reports in the log of former versions. The most frequent of
    /// all of them keep their names.
    /// </summary>
    private static readonly string DroppedSql =
        $"""
        with dropped as (
          select tally.reason, tally.category, tally.count
          from {OutcomeTally.Table} as tally
          where {InWindow} and tally.kind = '{OutcomeKind.ClientDropped}'
          union all
          select item.reason, item.category, item.quantity
          from {LogSchema.Name}.mt_events as log
          cross join lateral jsonb_to_recordset(log.data->'dropped')
            as item(reason text, category text, quantity bigint)
          where log.tenant_id = @tenant and log.type = '{EventKinds.LossReported.StoredType}'
            and log.timestamp >= @since and log.timestamp < @until),
        pairs as (
          select dropped.reason, dropped.category, sum(dropped.count) as count
          from dropped
          group by 1, 2),
        ranked as (
          select pairs.reason, pairs.category, pairs.count,
            row_number() over (order by {IsOther}, pairs.count desc, pairs.reason, pairs.category) as place
          from pairs),
        named as (
          select ranked.count,
            case when {IsNamed} then ranked.reason else '{DropPair.Other.Reason}' end as reason,
            case when {IsNamed} then ranked.category else '{DropPair.Other.Category}' end as category
          from ranked)
        select named.reason, named.category, {OutcomeTally.Sum}
        from named
        group by 1, 2
        order by 3 desc, 1, 2
        """;

    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    /// <param name="errors">Gets each fault.</param>
    public static (Window, ProblemDetails) Validate(string? since, string? until, FieldErrors errors) =>
        (Window.Parse(since, until, errors), errors.OrNone());

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>
    /// What became of all that was sent in a window: received, accepted, duplicate, refused by reason, not kept by
    /// category; and what SDKs report that they dropped.
    /// </summary>
    [WolverineGet("/apps/{app_id}/loss", OperationId = "GetLoss")]
    [ProducesResponseType<LossReport>(200), Refuses(400, 404)]
    public static async Task<LossReport> Get(
        Application application, Window window, Snapshots snapshots, OutcomeTally tally, CancellationToken stop)
    {
        await tally.FlushAsync(stop);
        await using var view = await snapshots.TakeAsync(application.Id, stop);
        return await ReportAsync(view, application.Id, window, stop);
    }

    /// <summary>The report, as far as the tally is written in this snapshot.</summary>
    internal static async Task<LossReport> ReportAsync(
        Snapshot view, int applicationId, Window window, CancellationToken stop)
    {
        var levels = await ByLevel.CountAsync(view, applicationId, window, issue: null, stop);
        var question = new Question(applicationId, window, Step.OfLevels);
        var outcomes = await view.QueryAsync(OutcomesSql, question, TalliedCount.Read, stop);
        var dropped = await view.QueryAsync(DroppedSql, question, ReadDropped, stop);
        return Report(window, levels.Sum(level => level.Count), outcomes, dropped);
    }

    private static ClientDropCount ReadDropped(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetString(1), row.GetInt64(2));

    private static LossReport Report(
        Window window, long accepted, List<TalliedCount> outcomes, List<ClientDropCount> dropped)
    {
        var received = outcomes.Aggregate(accepted, (sum, outcome) => Saturating.Add(sum, outcome.Count));
        var duplicates = outcomes.Find(outcome => outcome.Kind == Kinds.Duplicate)?.Count ?? 0;
        var refused = outcomes.FindAll(outcome => outcome.Kind == Kinds.Refused);
        var notKept = outcomes.FindAll(outcome => outcome.Kind == Kinds.NotKept);
        return new(window.Since, window.Until, received, accepted, duplicates,
            refused.ConvertAll(outcome => new RefusedCount(outcome.Name, outcome.Count)),
            notKept.ConvertAll(outcome => new NotKeptCount(outcome.Name, outcome.Count)), dropped);
    }

    private enum Kinds { Refused, Duplicate, NotKept }

    private sealed record TalliedCount(Kinds Kind, string Name, long Count)
    {
        public static TalliedCount Read(NpgsqlDataReader row)
        {
            var name = row.GetString(1);
            var kind = row.GetString(0) == OutcomeKind.NotKept ? Kinds.NotKept
                : name == Reason.Duplicate.Stored ? Kinds.Duplicate
                : Kinds.Refused;
            return new(kind, name, row.GetInt64(2));
        }
    }
}
