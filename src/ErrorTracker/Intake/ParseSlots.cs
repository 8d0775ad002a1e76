namespace ErrorTracker.Intake;

/// <summary>
/// Bounds the CPU that an application's large bodies take: they are inflated and parsed under slots. There are as many
/// slots as cores, and one application has half of them at most. Its other requests wait in the order in which they
/// came, and applications take turns. Small bodies need no slot.
/// </summary>
internal sealed class ParseSlots(int cores)
{
    /// <summary>Bytes, inflated, up to which a body is small.</summary>
    public const int LargestSmall = 16 * 1024;

    private readonly int _most = Math.Max(2, cores), _mostOfOne = Math.Max(1, cores / 2);
    private readonly Dictionary<int, Line> _lines = [];

    /// <summary>Applications that have a request waiting and may run one more: each is here once.</summary>
    private readonly Queue<int> _turns = [];

    private int _running;

    /// <summary>Completes when a slot is free. A request that gives up waiting leaves the line.</summary>
    public ValueTask<ParseSlot> TakeAsync(int application, CancellationToken stop)
    {
        TaskCompletionSource waiting;
        lock (_lines)
        {
            if (!_lines.TryGetValue(application, out var line))
            {
                line = new();
                _lines[application] = line;
            }
            if (_running < _most && line.Running < _mostOfOne && line.Waiting.Count == 0)
            {
                _running++;
                line.Running++;
                return new(new ParseSlot(this, application));
            }
            waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
            line.Waiting.Enqueue(waiting);
            TakeTurn(application, line);
        }
        return WaitAsync(application, waiting, stop);
    }

    internal void Return(int application)
    {
        lock (_lines)
        {
            var line = _lines[application];
            _running--;
            line.Running--;
            TakeTurn(application, line);
            while (_running < _most && _turns.TryDequeue(out var next)) StartOne(next);
            if (line is { Running: 0, Waiting.Count: 0 }) _lines.Remove(application);
        }
    }

    private async ValueTask<ParseSlot> WaitAsync(int application, TaskCompletionSource waiting, CancellationToken stop)
    {
        await using var _ = stop.UnsafeRegister(
            static (gone, stop) => ((TaskCompletionSource)gone!).TrySetCanceled(stop), waiting);
        await waiting.Task;
        return new(this, application);
    }

    private void TakeTurn(int application, Line line)
    {
        if (line.HasTurn || line.Waiting.Count == 0 || line.Running >= _mostOfOne) return;
        line.HasTurn = true;
        _turns.Enqueue(application);
    }

    /// <summary>Starts the first that waits. Requests that gave up are passed over.</summary>
    private void StartOne(int application)
    {
        var line = _lines[application];
        line.HasTurn = false;
        while (line.Waiting.TryDequeue(out var waiting))
            if (waiting.TrySetResult())
            {
                _running++;
                line.Running++;
                break;
            }
        TakeTurn(application, line);
        if (line is { Running: 0, Waiting.Count: 0 }) _lines.Remove(application);
    }

    private sealed class Line
    {
        public Queue<TaskCompletionSource> Waiting { get; } = [];
        public int Running { get; set; }
        public bool HasTurn { get; set; }
    }
}

/// <summary>A slot that is taken, to be disposed of once.</summary>
internal readonly struct ParseSlot(ParseSlots slots, int application) : IDisposable
{
    public void Dispose() => slots.Return(application);
}
