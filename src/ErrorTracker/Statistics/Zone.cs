using System.Text.RegularExpressions;
using ErrorTracker.Windows;

namespace ErrorTracker.Statistics;

/// <summary>An IANA time zone, which sets where the buckets of a time series start.</summary>
public sealed partial class Zone
{
    public const string Expected = "must be the name of an IANA time zone, such as Europe/Berlin";

    /// <summary>No zone changes its clocks by more, or twice in as short a time as this and a day.</summary>
    private static readonly TimeSpan Around = TimeSpan.FromHours(3);

    private readonly TimeZoneInfo _zone;

    private Zone(TimeZoneInfo zone) => _zone = zone;

    /// <summary>PostgreSQL takes these for abbreviations, which know no summer.</summary>
    private static readonly Dictionary<string, string> Unabbreviated = new(StringComparer.OrdinalIgnoreCase)
    {
        ["CET"] = "Europe/Brussels", ["MET"] = "Europe/Brussels", ["EET"] = "Europe/Athens", ["WET"] = "Europe/Lisbon",
    };

    /// <summary>What could be a name; the file of a zone has others, such as Europe//Berlin.</summary>
    [GeneratedRegex(@"^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*\z")]
    private static partial Regex Names();

    /// <summary>Files of a zone database that name no zone, or one that differs from server to server.</summary>
    private static readonly string[] NoZones = ["localtime", "posixrules", "Factory", "right/", "posix/"];

    /// <summary>Until Liberia set its clocks in 1972 some offsets had seconds, of which .NET knows nothing: what lies before is counted from the log.</summary>
    private static readonly DateTimeOffset WholeMinutesSince = new(1972, 1, 8, 0, 0, 0, TimeSpan.Zero);

    /// <summary>As PostgreSQL knows it too.</summary>
    public string Name => _zone.Id;

    /// <summary>UTC if absent; what is no zone is named in <paramref name="errors"/>.</summary>
    public static Zone Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return new(TimeZoneInfo.Utc);
        if (text.Length is > 0 and < 64 && Names().IsMatch(text) && !NoZones.Any(name => text.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            && TimeZoneInfo.TryFindSystemTimeZoneById(Unabbreviated.GetValueOrDefault(text, text), out var zone) && zone.HasIanaId) return new(zone);
        errors["tz"] = [Expected];
        return new(TimeZoneInfo.Utc);
    }

    public bool HasWholeMinutes(Window window) => window.Since >= WholeMinutesSince || _zone.HasSameRules(TimeZoneInfo.Utc);

    public TimeSpan OffsetAt(DateTimeOffset instant) => _zone.GetUtcOffset(instant);

    /// <summary>The window's parts by local day. Steady are those around which the zone keeps its offset; others may be parts of a day only. UTC's days need not be told apart.</summary>
    public IEnumerable<(Window Window, TimeSpan Offset, bool Steady)> Days(Window window)
    {
        if (_zone.HasSameRules(TimeZoneInfo.Utc))
        {
            yield return (window, TimeSpan.Zero, true);
            yield break;
        }
        for (var at = window.Since; at < window.Until;)
        {
            var offset = OffsetAt(at);
            var left = TimeSpan.TicksPerDay - (at.UtcTicks + offset.Ticks) % TimeSpan.TicksPerDay;
            var end = (window.Until - at).Ticks > left ? at.AddTicks(left) : window.Until;
            yield return (new(at, end), offset, Keeps(offset, at, -Around) && Keeps(offset, end, Around));
            at = end;
        }
    }

    private bool Keeps(TimeSpan offset, DateTimeOffset at, TimeSpan around) =>
        at.UtcTicks + around.Ticks is var ticks && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks && OffsetAt(new(ticks, TimeSpan.Zero)) == offset;
}
