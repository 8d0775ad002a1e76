namespace ErrorTracker.Limits;

/// <summary>
/// Shares a bounded room out among applications: each may have as much as is left free afterwards, so one alone gets
/// half and there is always room for another. (The dynamic thresholds of shared-memory switches: Choudhury and Hahne,
/// 1998.)
/// </summary>
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
