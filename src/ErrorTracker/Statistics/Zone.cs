using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;
using ErrorTracker.Http;
using ErrorTracker.Windows;

namespace ErrorTracker.Statistics;

/// <summary>An IANA time zone, which sets where the buckets of a time series start.</summary>
public sealed partial class Zone
{
    public const string Expected = "must be the name of an IANA time zone, such as Europe/Berlin";

    private const int LongestName = 63;

    /// <summary>No zone changes its clocks by more, or twice in as short a time as this and a day.</summary>
    private static readonly TimeSpan Around = TimeSpan.FromHours(3);

    /// <summary>PostgreSQL takes these for abbreviations, which know no summer.</summary>
    private static readonly Dictionary<string, string> Unabbreviated = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CET"] = "Europe/Brussels", ["MET"] = "Europe/Brussels", ["EET"] = "Europe/Athens", ["WET"] = "Europe/Lisbon",
    };

    /// <summary>Files of a zone database that name no zone, or one that differs from server to server.</summary>
    private static readonly string[] NoZones = ["localtime", "posixrules", "Factory", "right/", "posix/"];

    /// <summary>
    /// Until Liberia set its clocks in 1972 some offsets had seconds, of which .NET knows nothing: what lies before is
    /// counted from the log.
    /// </summary>
    private static readonly DateTimeOffset WholeMinutesSince = new(1972, 1, 8, 0, 0, 0, TimeSpan.Zero);

    private readonly TimeZoneInfo _zone;

    private Zone(TimeZoneInfo zone) => _zone = zone;

    /// <summary>As PostgreSQL knows it too.</summary>
    public string Name => _zone.Id;

    private bool IsUtc => _zone.HasSameRules(TimeZoneInfo.Utc);

    /// <summary>UTC if absent; what is no zone is named in <paramref name="errors"/>.</summary>
    public static Zone Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return new(TimeZoneInfo.Utc);
        if (IsName(text) && TryFind(text, out var zone)) return new(zone);
        errors.AddFault("tz", Expected);
        return new(TimeZoneInfo.Utc);
    }

    private static bool IsName(string text) =>
        text.Length <= LongestName
        && Names().IsMatch(text)
        && !Array.Exists(NoZones, none => text.StartsWith(none, StringComparison.OrdinalIgnoreCase));

    /// <summary>The file of a zone has other names too, such as Europe//Berlin, which are none.</summary>
    [GeneratedRegex(@"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\z")]
    private static partial Regex Names();

    private static bool TryFind(string name, [NotNullWhen(true)] out TimeZoneInfo? zone) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(Unabbreviated.GetValueOrDefault(name, name), out zone) && zone.HasIanaId;

    public bool HasWholeMinutes(Window window) => IsUtc || window.Since >= WholeMinutesSince;

    public TimeSpan OffsetAt(DateTimeOffset moment) => _zone.GetUtcOffset(moment);

    /// <summary>The window's parts by local day. UTC's need not be told apart.</summary>
    public IEnumerable<ZoneDay> Days(Window window)
    {
        if (IsUtc)
        {
            yield return new(window, TimeSpan.Zero, IsSteady: true);
            yield break;
        }
        for (var start = window.Since; start < window.Until;)
        {
            var offset = OffsetAt(start);
            var end = EndOfDay(start, offset, window.Until);
            yield return new(new(start, end), offset, Keeps(offset, start, -Around) && Keeps(offset, end, Around));
            start = end;
        }
    }

    /// <summary>The next midnight by an offset, or the end of the window if that comes first.</summary>
    private static DateTimeOffset EndOfDay(DateTimeOffset moment, TimeSpan offset, DateTimeOffset windowEnd)
    {
        var sinceMidnight = (moment.UtcTicks + offset.Ticks) % TimeSpan.TicksPerDay;
        var left = TimeSpan.TicksPerDay - sinceMidnight;
        return (windowEnd - moment).Ticks > left ? moment.AddTicks(left) : windowEnd;
    }

    /// <summary>The zone has this offset then, too. Nobody knows before the first moment of .NET and after the last.</summary>
    private bool Keeps(TimeSpan offset, DateTimeOffset moment, TimeSpan later)
    {
        var ticks = moment.UtcTicks + later.Ticks;
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks) return false;
        return OffsetAt(new(ticks, TimeSpan.Zero)) == offset;
    }
}

/// <summary>A part of a window that lies in one day of a zone.</summary>
/// <param name="Window">Of the day, or of a part of it.</param>
/// <param name="Offset">Of the zone's clocks as it starts.</param>
/// <param name="IsSteady">The zone keeps its offset from some hours before to some hours after.</param>
public sealed record ZoneDay(Window Window, TimeSpan Offset, bool IsSteady);

/// <summary>PostgreSQL has another zone database than this host, and knows no zone of the name.</summary>
public sealed class UnknownZoneException(string zone, Exception cause)
    : Exception($"PostgreSQL does not know the time zone {zone}.", cause);
