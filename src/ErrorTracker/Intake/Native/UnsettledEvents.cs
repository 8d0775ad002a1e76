using ErrorTracker.Commit;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// The events of one batch that wait for their commits, while others arrive: a bounded number of them, so that what a
/// request costs in memory does not grow with its body.
/// </summary>
internal sealed class UnsettledEvents(WriteQueue queue, RequestBudget budget, BatchOutcome outcome)
{
    private const int MostEvents = 2_000, MostBytes = 4 * 1024 * 1024;

    /// <summary>
    /// So long an event waits for room in the queue. Then the rest of the batch is refused: the database is away, or
    /// the application sends more than it takes.
    /// </summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly Queue<(int Index, PendingEvent Event)> _waiting = [];
    private int _bytes;
    private bool _isClosed;

    /// <summary>Puts an event on the write queue, or rejects it.</summary>
    public async ValueTask SendAsync(int index, PendingEvent pending)
    {
        while (_waiting.Count >= MostEvents || _bytes >= MostBytes) await SettleOneAsync();
        if (!_isClosed) _isClosed = !await TryEnqueueAsync(pending);
        if (_isClosed)
        {
            RejectUncommitted(index);
            return;
        }
        _waiting.Enqueue((index, pending));
        _bytes += pending.Size;
    }

    public async ValueTask SettleAllAsync()
    {
        while (_waiting.Count > 0) await SettleOneAsync();
    }

    /// <summary>Where there is no room, this request's own events are waited for first.</summary>
    private async ValueTask<bool> TryEnqueueAsync(PendingEvent pending)
    {
        var waited = TimeSpan.Zero;
        while (true)
        {
            if (budget.TryTake(pending.Size))
            {
                if (queue.TryEnqueue(pending)) return true;
                budget.Return(pending.Size);
            }
            if (_waiting.Count > 0)
            {
                await SettleOneAsync();
                continue;
            }
            if (waited >= LongestWait) return false;
            await LeaveTurnAndAwaitAsync(Task.Delay(Pause));
            waited += Pause;
        }
    }

    private async ValueTask SettleOneAsync()
    {
        var (index, pending) = _waiting.Dequeue();
        await LeaveTurnAndAwaitAsync(pending.Settled.Task);
        _bytes -= pending.Size;
        budget.Return(pending.Size);
        switch (pending.Settled.Task.Result.Fate)
        {
            case Fate.Stored:
                outcome.Accepted++;
                break;
            case Fate.Repeated:
                outcome.Duplicates++;
                break;
            case Fate.Conflicting:
                outcome.Reject(index, IntakeRefusal.Conflicting, "event_id", IntakeRefusal.Conflicting.Text);
                break;
            default:
                RejectUncommitted(index);
                break;
        }
    }

    /// <summary>While the batch waits, others of its application may parse.</summary>
    private ValueTask LeaveTurnAndAwaitAsync(Task what)
    {
        if (!what.IsCompleted) budget.LeaveTurn();
        return new(what);
    }

    private void RejectUncommitted(int index) =>
        outcome.Reject(index, IntakeRefusal.NotCommitted, "body", "could not be stored now: send it again");
}
