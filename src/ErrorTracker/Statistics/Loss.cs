using ErrorTracker.Applications;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Statistics;

/// <summary>What became of all that an application sent in a window: received = accepted + duplicates + refused. And what its SDKs say they never sent.</summary>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
/// <param name="Received" example="103">Events that arrived with a key that opens the application; a request that was refused as a whole counts as one.</param>
/// <param name="Accepted" example="100">Stored, counted as by-level counts them.</param>
/// <param name="Duplicates" example="2">Stored before, by their event_id.</param>
/// <param name="Refused">Not stored, the most frequent reason first.</param>
/// <param name="ClientDropped">Dropped by SDKs before they sent it, by their client reports that arrived in the window; the most first.</param>
public sealed record LossReport(DateTimeOffset Since, DateTimeOffset Until, long Received, long Accepted, long Duplicates, IReadOnlyList<RefusedCount> Refused, IReadOnlyList<ClientDropCount> ClientDropped);

/// <param name="Reason" example="invalid">invalid, conflicting, too large, media type, too slow, no room or no database, or other.</param>
/// <param name="Count" example="1">Events.</param>
public sealed record RefusedCount(string Reason, long Count);

/// <param name="Reason" example="network_error">In the SDK's words.</param>
/// <param name="Category" example="error">Of data, in the SDK's words.</param>
/// <param name="Count" example="7">As the SDK counts.</param>
public sealed record ClientDropCount(string Reason, string Category, long Count);

public static class Loss
{
    private const string OutcomesSql =
        $"select reason, sum(count)::bigint from {OutcomeTally.Table} where application_id = @tenant::int and at >= @since and at < @until group by 1 order by 2 desc, 1";

    private const string DroppedSql =
        $"""
        select item->>'reason', item->>'category', sum((item->>'quantity')::bigint)::bigint
        from {CounterTables.Schema}.mt_events cross join lateral jsonb_array_elements(data->'dropped') as item
        where tenant_id = @tenant and type = '{LossReported.StoredType}' and timestamp >= @since and timestamp < @until
        group by 1, 2 order by 3 desc, 1, 2
        """;

    /// <summary>What became of the events of a window: received, accepted, duplicate, refused by reason; and what SDKs report that they dropped.</summary>
    /// <param name="since">Start of the window (RFC 3339), part of it.</param>
    /// <param name="until">End of the window (RFC 3339), not part of it.</param>
    [WolverineGet("/apps/{app_id}/loss")]
    [ProducesResponseType<LossReport>(200), Refuses(400, 404)]
    public static async Task<IResult> Get(string app_id, string? since, string? until, FieldErrors errors,
        ApplicationDirectory applications, Snapshot snapshot, [FromServices] OutcomeTally tally, CancellationToken stop)
    {
        var window = Window.Parse(since, until, errors);
        if (errors.Count > 0) return Refusal.Invalid(errors);
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;

        await tally.FlushAsync(stop);
        var question = new Question(application!.Id, window, Step.OfLevels);
        await using var view = await snapshot.TakeAsync(application.Id, stop);
        var accepted = (await view.QueryAsync(ByLevel.Sql, question, row => row.GetInt64(1), stop)).Sum();
        var outcomes = await view.QueryAsync(OutcomesSql, question, row => new RefusedCount(row.GetString(0), row.GetInt64(1)), stop);
        var dropped = await view.QueryAsync(DroppedSql, question, row => new ClientDropCount(row.GetString(0), row.GetString(1), row.GetInt64(2)), stop);
        return Results.Ok(new LossReport(window.Since, window.Until, accepted + outcomes.Sum(outcome => outcome.Count), accepted,
            outcomes.Find(outcome => outcome.Reason == OutcomeTally.Duplicate)?.Count ?? 0, outcomes.FindAll(outcome => outcome.Reason != OutcomeTally.Duplicate), dropped));
    }
}
