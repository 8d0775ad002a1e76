using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Windows;

namespace ErrorTracker.Statistics;

/// <summary>The size of a time series' buckets.</summary>
/// <param name="Name">As the API spells it, and PostgreSQL's <c>date_trunc</c> too.</param>
/// <param name="Length">Of each bucket, but for days on which a zone changes its clocks.</param>
public sealed record Interval(string Name, TimeSpan Length)
{
    public const string Expected = "must be MINUTE, HOUR or DAY, in any case";

    private static readonly Interval
        Minute = new("MINUTE", TimeSpan.FromMinutes(1)),
        Hour = new("HOUR", TimeSpan.FromHours(1)),
        Day = new("DAY", TimeSpan.FromDays(1));

    private static readonly Interval[] All = [Minute, Hour, Day];

    /// <summary>Null if there is no such interval.</summary>
    public static Interval? Parse(string text) =>
        Array.Find(All, interval => interval.Name.Equals(text, StringComparison.OrdinalIgnoreCase));

    /// <summary>Hours if absent; what is no interval is named in <paramref name="errors"/>.</summary>
    public static Interval Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return Hour;
        if (Parse(text) is { } interval) return interval;
        errors.AddFault("interval", Expected);
        return Hour;
    }

    /// <summary>The shortest that cuts a window into at most so many buckets; else days.</summary>
    public static Interval For(Window window, Zone zone, int most) =>
        Array.Find(All, interval => interval.CountIn(zone, window) <= most) ?? Day;

    /// <summary>A step that misses no bucket: no zone's day is shorter than half, and its hours may start at quarters.</summary>
    public TimeSpan Grain => this == Minute ? Length : this == Hour ? Length / 4 : Length / 2;

    /// <summary>Cuts a window so that no bucket of the series, in a zone, takes only a part of a counted one.</summary>
    /// <param name="zone">In which the buckets of the series start.</param>
    /// <param name="window">To be cut.</param>
    /// <param name="ladder">The steps of the table that is counted from, the largest first.</param>
    public IEnumerable<Cut> Cut(Zone zone, Window window, Step[] ladder) =>
        zone.Days(window).Select(day => day.Window.Cut(zone.HasWholeMinutes(day.Window) ? LadderOf(day, ladder) : []));

    /// <summary>The counted buckets of which the series' own are made on this day, the largest first.</summary>
    private Step[] LadderOf(ZoneDay day, Step[] ladder)
    {
        // Where clocks change only a minute is sure to lie in one bucket: some clocks were changed at 00:01.
        if (!day.IsSteady) return StepsThatFit(ladder, Minute.Length, day.Offset);

        // The window that is cut ends with the day, so whatever lies in it lies in one bucket of a day.
        if (this == Day) return ladder;

        return StepsThatFit(ladder, Length, day.Offset);
    }

    /// <summary>
    /// Steps up to a length. They are counted from midnight in UTC, so a zone's buckets are made of whole ones only if
    /// they divide its offset: an hour of Kathmandu, at +05:45, is made of quarters.
    /// </summary>
    private static Step[] StepsThatFit(Step[] ladder, TimeSpan longest, TimeSpan offset) =>
        Array.FindAll(ladder, step => step.Length <= longest && offset.Ticks % step.Length.Ticks == 0);

    /// <summary>How many buckets the window touches, if only in part.</summary>
    public long CountIn(Zone zone, Window window) =>
        NumberOf(window.Until.AddTicks(-1), zone) - NumberOf(window.Since, zone) + 1;

    /// <summary>
    /// The number of the bucket that a moment lies in. Days follow the zone's clock. Minutes and hours follow time as it
    /// passes, whatever clocks do; of the offset only the part counts that is no whole bucket.
    /// </summary>
    private long NumberOf(DateTimeOffset moment, Zone zone)
    {
        var offset = zone.OffsetAt(moment).Ticks;
        var shift = this == Day ? offset : offset % Length.Ticks;
        return (moment.UtcTicks + shift) / Length.Ticks;
    }
}
