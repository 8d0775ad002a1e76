using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Windows;

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

    /// <summary>Cuts a window so that no bucket lies in two of these, in a zone.</summary>
    public IEnumerable<Cut> Cut(Zone zone, Window window) => zone.Days(window).Select(day => day.Window.Cut(zone.HasWholeMinutes(day.Window) ? LadderOf(day.Offset, day.Steady) : []));

    /// <summary>What fits between a day's midnights fits into it; shorter intervals take what divides the zone's offset. Where clocks change, minutes only: some did at 00:01.</summary>
    private Step[] LadderOf(TimeSpan offset, bool steady) => steady && Length == Step.Day.Length
        ? Step.OfLevels
        : [.. Step.OfLevels.Where(s => s.Length <= (steady ? Length : Step.Minute.Length) && offset.Ticks % s.Length.Ticks == 0)];

    /// <summary>A step that misses no bucket: no zone's day is shorter than half, and its hours may start at quarters.</summary>
    public TimeSpan Grain => Length > TimeSpan.FromHours(1) ? Length / 2 : Length < TimeSpan.FromHours(1) ? Length : Length / 4;

    /// <summary>How many of these the window touches, if only in part. Days follow the zone's clock; minutes and hours time as it passes, and the clock's offset only in part.</summary>
    public long CountIn(Zone zone, Window window)
    {
        long Number(DateTimeOffset instant)
        {
            var offset = zone.OffsetAt(instant).Ticks;
            return (instant.UtcTicks + (Length == Step.Day.Length ? offset : offset % Length.Ticks)) / Length.Ticks;
        }
        return Number(window.Until.AddTicks(-1)) - Number(window.Since) + 1;
    }
}
