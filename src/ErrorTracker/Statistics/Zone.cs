namespace ErrorTracker.Statistics;

/// <summary>An IANA time zone, which sets where the buckets of a time series start.</summary>
public sealed class Zone
{
    public const string Expected = "must be the name of an IANA time zone, such as Europe/Berlin";

    private readonly TimeZoneInfo _zone;

    private Zone(TimeZoneInfo zone) => _zone = zone;

    /// <summary>As PostgreSQL knows it too.</summary>
    public string Name => _zone.Id;

    /// <summary>UTC if absent; what is no zone is named in <paramref name="errors"/>.</summary>
    public static Zone Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return new(TimeZoneInfo.Utc);
        if (text.Length is > 0 and < 64 && TimeZoneInfo.TryFindSystemTimeZoneById(text, out var zone) && zone.HasIanaId) return new(zone);
        errors["tz"] = [Expected];
        return new(TimeZoneInfo.Utc);
    }

    public TimeSpan OffsetAt(DateTimeOffset instant) => _zone.GetUtcOffset(instant);

    /// <summary>The largest time that divides every offset from UTC that the zone has in the window: what is aligned to it no local hour or day cuts in two.</summary>
    public TimeSpan FinestOffset(Window window)
    {
        var finest = TimeSpan.FromDays(1).Ticks;
        for (var at = window.Since; at < window.Until; at = window.Until - at > TimeSpan.FromDays(1) ? at.AddDays(1) : window.Until)
            finest = GreatestCommonDivisor(finest, Math.Abs(OffsetAt(at).Ticks));
        return new(GreatestCommonDivisor(finest, Math.Abs(OffsetAt(window.Until).Ticks)));
    }

    private static long GreatestCommonDivisor(long a, long b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
