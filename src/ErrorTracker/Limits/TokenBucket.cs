namespace ErrorTracker.Limits;

/// <summary>
/// So many of something in each period, and as many at once where there were none before. It is full at the start, and
/// fills evenly. Its state is one number, the time at which it is full again, so that no caller waits for another.
/// </summary>
/// <param name="size">At least 1.</param>
internal sealed class TokenBucket(int size, TimeSpan period, TimeProvider clock)
{
    private readonly long _period = (long)(period.TotalSeconds * clock.TimestampFrequency);
    private long _fullAt = clock.GetTimestamp();

    /// <param name="wait">If there is none: how long it takes until there is one.</param>
    public bool TryTake(out TimeSpan wait)
    {
        wait = TimeSpan.Zero;
        while (true)
        {
            var (now, fullAt) = (clock.GetTimestamp(), Volatile.Read(ref _fullAt));
            var next = Math.Max(fullAt, now) + _period / size;
            if (next - now > _period)
            {
                wait = clock.GetElapsedTime(now + _period, next);
                return false;
            }
            if (Interlocked.CompareExchange(ref _fullAt, next, fullAt) == fullAt) return true;
        }
    }
}
