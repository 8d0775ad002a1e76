using System.Globalization;

namespace ErrorTracker.Http;

/// <summary>Moments as the API speaks of them: RFC 3339, UTC, whole microseconds, which is what PostgreSQL keeps.</summary>
public static class Instant
{
    public const string Expected = "must be an RFC 3339 time, such as 2026-01-31T12:34:56.789Z";

    /// <summary>Where the parts of a time start: 2026-01-31T12:34:56.789Z.</summary>
    private const int TimeAt = 10, SecondAt = 17, FractionAt = 19;

    /// <summary>Digits of a fraction of a second that .NET reads.</summary>
    private const int MostDigits = 7;

    private static readonly string[] Formats =
        ["yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd"];

    private static readonly TimeSpan LastSecond = new(23, 59, 59);

    public static DateTimeOffset Now(TimeProvider clock) => Truncate(clock.GetUtcNow());

    public static DateTimeOffset Truncate(DateTimeOffset instant) =>
        new(instant.UtcTicks - instant.UtcTicks % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    /// <summary>RFC 3339 in UTC with a Z, and no more digits than microseconds need.</summary>
    public static string ToText(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    public static DateTimeOffset Required(string field, string? text, Dictionary<string, string[]> errors)
    {
        if (TryParse(text, out var instant)) return instant;
        errors.AddFault(field, string.IsNullOrEmpty(text) ? "is required" : Expected);
        return default;
    }

    public static DateTimeOffset? Optional(string field, string? text, Dictionary<string, string[]> errors) =>
        text is null ? null : Required(field, text, errors);

    /// <summary>A time without an offset is UTC. Finer parts than microseconds are cut off.</summary>
    public static bool TryParse(string? text, out DateTimeOffset instant)
    {
        instant = default;
        if (text is null || !HasReadableOffset(text)) return false;
        if (HasSecond60(text)) return TryParseLeapSecond(text, out instant);
        return TryParseOrdinary(text, out instant);
    }

    private static bool TryParseOrdinary(string text, out DateTimeOffset instant)
    {
        instant = default;
        if (ShortenFraction(text) is not { } shortened) return false;

        // RFC 3339 allows t and z in lower case; .NET does not.
        var parsed = DateTimeOffset.TryParseExact(
            shortened.ToUpperInvariant(), Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant);
        if (parsed) instant = Truncate(instant);
        return parsed;
    }

    /// <summary>
    /// RFC 3339 knows a 61st second, but at the end of a day in UTC only. Clocks that do not count it call it the first
    /// of the next day.
    /// </summary>
    private static bool TryParseLeapSecond(string text, out DateTimeOffset instant)
    {
        var secondBefore = string.Concat(text.AsSpan(0, SecondAt), "59", text.AsSpan(FractionAt));
        if (!TryParseOrdinary(secondBefore, out instant)) return false;
        if (instant.UtcDateTime.TimeOfDay < LastSecond || instant.UtcDateTime.Date == DateTime.MaxValue.Date) return false;
        instant = instant.AddSeconds(1);
        return true;
    }

    private static bool HasSecond60(string text) =>
        text.Length >= FractionAt && text.AsSpan(SecondAt - 1, 3) is ":60";

    /// <summary>
    /// A fraction may have any number of digits but none; .NET reads up to seven. Null if there is a point without one.
    /// </summary>
    private static string? ShortenFraction(string text)
    {
        if (text.Length <= FractionAt || text[FractionAt] != '.') return text;
        const int start = FractionAt + 1;
        var end = start;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        if (end == start) return null;
        var kept = Math.Min(end, start + MostDigits);
        return text.Remove(kept, end - kept);
    }

    /// <summary>.NET reads offsets such as +5:00 too, which are none: they have the form +05:00 or +0500.</summary>
    private static bool HasReadableOffset(string text)
    {
        if (text.Length <= TimeAt) return true;
        var time = text.AsSpan(TimeAt);
        var sign = time.LastIndexOfAny('+', '-');
        if (sign < 0) return true;
        var offset = time[sign..];
        return offset.Length == 6 || offset.Length == 5 && !offset.Contains(':');
    }
}
