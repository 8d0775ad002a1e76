namespace ErrorTracker.Counters;

/// <summary>A size of bucket on the ladder that windows are cut by. Buckets start on whole UTC units.</summary>
/// <param name="Code">How rows are marked; data, never changed.</param>
/// <param name="Unit">What PostgreSQL's <c>date_trunc</c> calls it.</param>
/// <param name="Length">Of each bucket: UTC days have no other lengths.</param>
public sealed record Step(string Code, string Unit, TimeSpan Length)
{
    public static readonly Step Day = new("d", "day", TimeSpan.FromDays(1)), Hour = new("h", "hour", TimeSpan.FromHours(1)), Minute = new("m", "minute", TimeSpan.FromMinutes(1));

    /// <summary>Largest first, for the counters by level.</summary>
    public static readonly Step[] OfLevels = [Day, Hour, Minute];

    /// <summary>Largest first, for the counters by message.</summary>
    public static readonly Step[] OfMessages = [Day, Hour];

    public const string Expected = "must be MINUTE, HOUR or DAY, in any case";

    /// <summary>A step by its unit's name in any case; null if there is no such step.</summary>
    public static Step? Parse(string unit) => OfLevels.FirstOrDefault(s => s.Unit.Equals(unit, StringComparison.OrdinalIgnoreCase));
}
