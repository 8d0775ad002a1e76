using System.Globalization;

namespace ErrorTracker.Http;

/// <summary>Moments as the API speaks of them: RFC 3339, UTC, whole microseconds, which is what PostgreSQL keeps.</summary>
public static class Instant
{
    private const int OffsetAfter = 10, SecondAt = 17, FractionAt = 19, FinestFraction = 7;

    private static readonly string[] Formats = ["yyyy-MM-ddTHH:mm:ss.FFFFFFFK", "yyyy-MM-dd HH:mm:ss.FFFFFFFK", "yyyy-MM-ddTHH:mmK", "yyyy-MM-dd"];

    private static readonly TimeSpan LastSecond = new(23, 59, 59);

    public static DateTimeOffset Now(TimeProvider clock) => Truncate(clock.GetUtcNow());

    public static DateTimeOffset Truncate(DateTimeOffset instant) => new(instant.UtcTicks - instant.UtcTicks % TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

    /// <summary>RFC 3339 in UTC with a Z, and no more digits than microseconds need.</summary>
    public static string ToText(DateTimeOffset instant) =>
        instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFF'Z'", CultureInfo.InvariantCulture);

    /// <summary>A time without an offset is UTC. Finer parts than microseconds are cut off.</summary>
    public static bool TryParse(string? text, out DateTimeOffset instant)
    {
        var leaps = text is { Length: >= FractionAt } && text.AsSpan(SecondAt - 1, 3) is ":60";
        var parsed = DateTimeOffset.TryParseExact(Normalize(leaps ? $"{text.AsSpan(0, SecondAt)}59{text.AsSpan(FractionAt)}" : text), Formats, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out instant);
        if (parsed) instant = Truncate(instant);
        return parsed && (!leaps || TryLeap(ref instant));
    }

    /// <summary>RFC 3339 knows a 61st second, but at the end of a day in UTC only. Clocks that do not count it call it the first of the next day.</summary>
    private static bool TryLeap(ref DateTimeOffset instant)
    {
        if (instant.UtcDateTime.TimeOfDay < LastSecond || instant.UtcDateTime.Date == DateTime.MaxValue.Date) return false;
        instant = instant.AddSeconds(1);
        return true;
    }

    /// <summary>RFC 3339 allows t and z in lower case and any number of digits but none; .NET reads up to seven.</summary>
    private static string? Normalize(string? text)
    {
        if (text is { Length: > OffsetAfter } && !IsOffset(text.AsSpan(OffsetAfter))) return null;
        if (text is not { Length: > FractionAt } || text[FractionAt] != '.') return text?.ToUpperInvariant();
        var end = FractionAt + 1;
        while (end < text.Length && char.IsAsciiDigit(text[end])) end++;
        if (end == FractionAt + 1) return null;
        return text.Remove(Math.Min(end, FractionAt + 1 + FinestFraction), Math.Max(0, end - FractionAt - 1 - FinestFraction)).ToUpperInvariant();
    }

    /// <summary>.NET reads offsets such as +5:00 too.</summary>
    private static bool IsOffset(ReadOnlySpan<char> end) =>
        end.LastIndexOfAny('+', '-') is var at && (at < 0 || end[at..] is { Length: 6 } || end[at..] is { Length: 5 } offset && !offset.Contains(':'));

    public const string Expected = "must be an RFC 3339 time, such as 2026-01-31T12:34:56.789Z";

    public static DateTimeOffset Required(string field, string? text, Dictionary<string, string[]> errors)
    {
        if (TryParse(text, out var instant)) return instant;
        errors[field] = [string.IsNullOrEmpty(text) ? "is required" : Expected];
        return default;
    }

    public static DateTimeOffset? Optional(string field, string? text, Dictionary<string, string[]> errors) =>
        text is null ? null : Required(field, text, errors);
}
