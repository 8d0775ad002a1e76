namespace ErrorTracker.Counters;

/// <summary>
/// A length of bucket that counters are kept in. Buckets of a step are counted from the Unix epoch, in UTC. The steps
/// of a table are its ladder, the largest first, each a multiple of the next.
/// </summary>
/// <param name="Code">How rows are marked; data, never changed.</param>
/// <param name="Length">Of each bucket.</param>
public sealed record Step(string Code, TimeSpan Length)
{
    public static readonly Step
        Minute = new("m", TimeSpan.FromMinutes(1)),
        Quarter = new("q", TimeSpan.FromMinutes(15)),
        Hour = new("h", TimeSpan.FromHours(1)),
        Day = new("d", TimeSpan.FromDays(1)),
        EightDays = new("8d", TimeSpan.FromDays(8));

    /// <summary>
    /// Largest first. Few rows each, so the steps are those that intervals are made of; the quarter serves zones whose
    /// hours are not UTC's.
    /// </summary>
    public static readonly Step[] OfLevels = [Day, Hour, Quarter, Minute];

    /// <summary>
    /// Largest first. A bucket has a row for each message, so a long window must not need many buckets; and a message
    /// that is seen once has a row in each step, so the steps must not be many.
    /// </summary>
    public static readonly Step[] OfMessages = [EightDays, Day, Hour, Minute];

    /// <summary>
    /// Largest first. A group has a row for each bucket and combination of level, release and environment. The quarter
    /// would add two fifths to them, and save little to the few zones that it serves.
    /// </summary>
    public static readonly Step[] OfGroups = [Day, Hour, Minute];

    public static readonly Step Largest = OfMessages[0];

    /// <summary>The start of the bucket that a time lies in, as SQL.</summary>
    public string BucketOf(string timestamp) =>
        $"date_bin(interval '{Length.TotalSeconds} seconds', {timestamp}, timestamptz '1970-01-01 00:00Z')";

    /// <summary>Ticks of the last bucket's start at or before <paramref name="instant"/>.</summary>
    public long Floor(DateTimeOffset instant)
    {
        var into = (instant.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) % Length.Ticks;
        return instant.UtcTicks - (into < 0 ? into + Length.Ticks : into);
    }

    /// <summary>
    /// Ticks of the first bucket's start at or after <paramref name="instant"/>; may lie beyond what a time can hold.
    /// </summary>
    public long Ceiling(DateTimeOffset instant)
    {
        var floor = Floor(instant);
        return floor == instant.UtcTicks ? floor : floor + Length.Ticks;
    }
}
