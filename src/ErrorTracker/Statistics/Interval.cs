using ErrorTracker.Counters;

namespace ErrorTracker.Statistics;

/// <summary>The size of a time series' buckets.</summary>
/// <param name="Name">As the API spells it, and PostgreSQL's <c>date_trunc</c> too.</param>
/// <param name="Length">Of each bucket, but for days on which a zone changes its clocks.</param>
public sealed record Interval(string Name, TimeSpan Length)
{
    private static readonly Interval[] All = [new("MINUTE", TimeSpan.FromMinutes(1)), new("HOUR", TimeSpan.FromHours(1)), new("DAY", TimeSpan.FromDays(1))];

    public const string Default = "HOUR", Expected = "must be MINUTE, HOUR or DAY, in any case";

    /// <summary>Null if there is no such interval.</summary>
    public static Interval? Parse(string text) => All.FirstOrDefault(i => i.Name.Equals(text, StringComparison.OrdinalIgnoreCase));

    /// <summary>The steps whose buckets lie within one of these, in a zone.</summary>
    public Step[] Ladder(Zone zone, Window window)
    {
        var finest = zone.FinestOffset(window);
        return [.. Step.OfLevels.Where(s => s.Length <= Length && finest.Ticks % s.Length.Ticks == 0)];
    }

    /// <summary>A step that misses no bucket: no zone's bucket is shorter but those on which clocks change, by an hour at most.</summary>
    public TimeSpan Grain => Length > TimeSpan.FromHours(1) ? Length - TimeSpan.FromHours(2) : Length < TimeSpan.FromHours(1) ? Length : Length / 4;

    /// <summary>How many of these the window touches, if only in part.</summary>
    public long CountIn(Zone zone, Window window)
    {
        long Number(DateTimeOffset instant) => (instant.UtcTicks + zone.OffsetAt(instant).Ticks) / Length.Ticks;
        return Number(window.Until.AddTicks(-1)) - Number(window.Since) + 1;
    }
}
