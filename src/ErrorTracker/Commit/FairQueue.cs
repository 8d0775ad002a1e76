using ErrorTracker.Limits;

namespace ErrorTracker.Commit;

/// <summary>
/// Accepted events that wait for a commit. Applications take turns, so that a flood of one application delays its own
/// events and not those of others.
/// </summary>
internal sealed class FairQueue
{
    /// <summary>An application's turn ends when it has taken so many bytes: so long the others wait.</summary>
    private const int BytesInTurn = 16 * 1024;

    private const int MostEvents = 20_000;

    private readonly Dictionary<int, Queue<PendingEvent>> _lines = [];
    private readonly Queue<int> _turns = [];
    private readonly FairShare _share = new(MostEvents);
    private bool _isClosed;

    public long Waiting => _share.Taken;

    /// <summary>False if the application has its share waiting already, or the queue is closed.</summary>
    public bool TryAdd(PendingEvent pending)
    {
        lock (_lines)
        {
            if (_isClosed || !_share.TryTake(pending.ApplicationId, 1)) return false;
            if (!_lines.TryGetValue(pending.ApplicationId, out var line))
            {
                _lines[pending.ApplicationId] = line = new();
                _turns.Enqueue(pending.ApplicationId);
            }
            line.Enqueue(pending);
            return true;
        }
    }

    /// <summary>Takes what is next, up to so many events or bytes.</summary>
    public List<PendingEvent> Take(int events, int bytes)
    {
        var group = new List<PendingEvent>();
        lock (_lines)
            while (group.Count < events && bytes > 0 && _turns.TryDequeue(out var application))
            {
                var line = _lines[application];
                for (var turn = BytesInTurn; turn > 0 && group.Count < events && bytes > 0 && line.Count > 0;)
                {
                    var next = line.Dequeue();
                    group.Add(next);
                    turn -= next.Size;
                    bytes -= next.Size;
                    _share.Return(application, 1);
                }
                if (line.Count > 0) _turns.Enqueue(application);
                else _lines.Remove(application);
            }
        return group;
    }

    /// <summary>From now on nothing is added; what waits can still be taken.</summary>
    public void Close()
    {
        lock (_lines) _isClosed = true;
    }
}
