using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Sentry;

/// <summary>The events of one request on their way through the write queue, and what is counted of them.</summary>
internal sealed class SentryCommit(IntakeServices its, Account account, HttpContext http)
{
    /// <summary>
    /// Waits for the commit. Of several events some may find no room, or be beyond a limit: the request is refused only
    /// if none was stored, and the others are counted as refused.
    /// </summary>
    /// <param name="events">At least one.</param>
    /// <returns>The id of the first event, or the refusal.</returns>
    public async ValueTask<(Guid? Id, SentryRefusal? Refusal)> StoreAsync(List<IncomingEvent> events)
    {
        var pending = events.ConvertAll(incoming => PendingEvent.Of(account.ApplicationId, incoming, account.ReceivedAt));
        var (queued, refusals, stored) = (new List<PendingEvent>(), new List<(SentryRefusal Refusal, string Reason)>(), 0);
        foreach (var one in pending)
            if (its.Limits.Take(account.ApplicationId, one.Size) is { } limit)
            {
                refusals.Add((SentryRefusal.Of(limit), limit.Reason));
                Door.Refuse(http, limit);
            }
            else if (its.Queue.TryEnqueue(one)) queued.Add(one);
            else refusals.Add(ReasonOf(SentryRefusal.NoRoom));
        foreach (var one in queued)
            if (await SettleAsync(one)) stored++;
            else refusals.Add(ReasonOf(SentryRefusal.NotCommitted));
        if (stored == 0) return (null, refusals[^1].Refusal);

        foreach (var (_, reason) in refusals) Refuse(reason);
        return (events[0].EventId ?? pending[0].Id, null);
    }

    private static (SentryRefusal, string) ReasonOf(SentryRefusal refusal) => (refusal, IngestMetrics.ReasonOf(refusal.Status));

    /// <summary>False if it was not stored; the queue has said why in the log.</summary>
    private async ValueTask<bool> SettleAsync(PendingEvent pending)
    {
        try
        {
            Count((await pending.Settled.Task).Fate);
            return true;
        }
        catch (Exception)
        {
            return false;
        }
    }

    /// <summary>
    /// An SDK can do nothing about an event_id that was sent before with other content, and Sentry drops it too: it is
    /// answered as stored, but counted as refused, as what it holds is not in the log.
    /// </summary>
    private void Count(Fate fate)
    {
        if (fate == Fate.Repeated) its.Tally.Add(account, OutcomeTally.Duplicate);
        if (fate == Fate.Conflicting) Refuse(IngestMetrics.ReasonOf(StatusCodes.Status409Conflict));
    }

    private void Refuse(string reason)
    {
        its.Metrics.Refused(reason);
        its.Tally.Add(account, reason);
    }
}
