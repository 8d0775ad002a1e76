namespace ErrorTracker.Limits;

/// <summary>
/// Limits: how something scarce is shared out (this class), and how often something may happen
/// (<see cref="TokenBucket"/>). Both are plain arithmetic, safe for many threads. They know no host and no database,
/// and use no other room.
/// </summary>
/// <remarks>
/// Each application may take as much as is left free afterwards: one alone gets half, and another always finds
/// something left. These are the dynamic thresholds of shared-memory switches (Choudhury and Hahne, 1998).
/// </remarks>
internal sealed class FairShare(long most)
{
    private readonly Dictionary<int, long> _taken = [];
    private long _total;

    public long Taken => Volatile.Read(ref _total);

    public bool TryTake(int application, long amount)
    {
        lock (_taken)
        {
            var own = _taken.GetValueOrDefault(application) + amount;
            if (own > most - _total - amount) return false;
            _taken[application] = own;
            _total += amount;
            return true;
        }
    }

    public void Return(int application, long amount)
    {
        lock (_taken)
        {
            _total -= amount;
            var own = _taken[application] - amount;
            if (own > 0) _taken[application] = own;
            else _taken.Remove(application);
        }
    }
}
