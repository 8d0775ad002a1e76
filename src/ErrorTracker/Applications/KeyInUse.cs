namespace ErrorTracker.Applications;

/// <summary>A key that opens an application, as a node keeps it in memory.</summary>
internal sealed class KeyInUse(Guid id, byte[] hash)
{
    private long _usedAt, _takenAt;

    public Guid Id => id;

    public byte[] Hash => hash;

    /// <summary>When it was last used; the first moment that there is if it never was.</summary>
    public DateTimeOffset UsedAt => new(Volatile.Read(ref _usedAt), TimeSpan.Zero);

    public void Use(DateTimeOffset at) => Volatile.Write(ref _usedAt, at.UtcTicks);

    /// <summary>When it was used since this was last asked; null if it was not.</summary>
    public DateTimeOffset? TakeUse()
    {
        var usedAt = Volatile.Read(ref _usedAt);
        return usedAt == Interlocked.Exchange(ref _takenAt, usedAt) ? null : new(usedAt, TimeSpan.Zero);
    }
}
