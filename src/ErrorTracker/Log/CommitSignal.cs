using JasperFx.Events.Daemon.HighWater;

namespace ErrorTracker.Log;

/// <summary>
/// Wakes Marten's search for the high-water mark when this node has committed events, so that a log which is idle
/// need not be polled often. What other nodes commit is found by polling.
/// </summary>
public sealed class CommitSignal(TimeProvider clock) : IDaemonWakeup
{
    /// <summary>So often at most the mark is looked for while events arrive.</summary>
    public static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(150);

    private readonly SemaphoreSlim _committed = new(0, 1);
    private readonly Lock _turn = new();
    private bool _isSet;
    private long _wokenAt;

    /// <summary>Events have been committed.</summary>
    public void Set()
    {
        if (Volatile.Read(ref _isSet)) return;
        lock (_turn)
        {
            if (_isSet) return;
            _isSet = true;
            _committed.Release();
        }
    }

    public async Task WaitAsync(TimeSpan timeout, CancellationToken token)
    {
        if (await _committed.WaitAsync(timeout, token))
            lock (_turn)
                _isSet = false;
        var early = Pace - clock.GetElapsedTime(_wokenAt);
        if (early > TimeSpan.Zero) await Task.Delay(early, token);
        _wokenAt = clock.GetTimestamp();
    }

    public void Dispose()
    {
        // It lives as long as the host; a daemon of a command may have ended before.
    }
}
