using ErrorTracker.Commit;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The events of one request on their way through the write queue. Of several some may find no room, or be beyond a
/// limit: the request is refused only if none was stored.
/// </summary>
internal sealed class SentryCommits(IntakeServices its)
{
    private readonly List<PendingEvent> _queued = [];
    private readonly List<IntakeRefusal> _refusals = [];
    private int _stored, _conflicting;
    private ReachedLimit? _limit;

    /// <summary>Of the first event; null if there is none.</summary>
    public Guid? FirstId { get; private set; }

    public int Duplicates { get; private set; }

    /// <summary>Why the request as a whole is refused; null if an event was stored, or there is none.</summary>
    public IntakeRefusal? Refusal => _stored > 0 || _refusals.Count == 0 ? null : _refusals[^1];

    /// <summary>
    /// A request that is refused for several reasons is one in the counts: a limit goes before the lack of room.
    /// </summary>
    public IntakeRefusal? CountedAs(IntakeRefusal? refusal) =>
        refusal is null || _limit is null ? refusal : refusal with { Reason = _limit.Reason };

    public void Enqueue(List<IncomingEvent> events, Arrival arrival)
    {
        var rules = its.Rules.Of(arrival.ApplicationId);
        foreach (var incoming in events)
        {
            var pending = PendingEvent.Of(arrival.ApplicationId, incoming, arrival.ReceivedAt, rules);
            FirstId ??= incoming.EventId ?? pending.Id;
            if (its.Limits.Take(arrival.ApplicationId, pending.Size) is { } limit)
            {
                _limit = limit;
                _refusals.Add(IntakeRefusal.Of(limit));
            }
            else if (its.Queue.TryEnqueue(pending)) _queued.Add(pending);
            else _refusals.Add(IntakeRefusal.NoRoom);
        }
    }

    public async ValueTask SettleAsync()
    {
        foreach (var pending in _queued) Settle((await pending.Settled.Task).Fate);
    }

    /// <summary>
    /// An SDK can do nothing about an event_id that was sent before with other content, and Sentry drops it too: it is
    /// answered as stored, but counted as refused, as what it holds is not in the log.
    /// </summary>
    private void Settle(Fate fate)
    {
        if (fate == Fate.NotCommitted)
        {
            _refusals.Add(IntakeRefusal.NotCommitted);
            return;
        }
        _stored++;
        if (fate == Fate.Repeated) Duplicates++;
        if (fate == Fate.Conflicting) _conflicting++;
    }

    /// <summary>How many events of a request that is not refused were not stored, by reason.</summary>
    public IEnumerable<(Reason Reason, int Events)> Refused()
    {
        if (_conflicting > 0) yield return (Reason.Conflicting, _conflicting);
        foreach (var refused in _refusals.CountBy(refusal => refusal.Reason)) yield return (refused.Key, refused.Value);
    }
}
