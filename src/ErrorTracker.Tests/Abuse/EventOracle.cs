using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>What must become of an event.</summary>
/// <param name="Content">Equal for equal content; null if the event is invalid.</param>
/// <param name="Id">Its event_id in plain digits, if it has one.</param>
/// <param name="Faults">The fields that a refusal must name, in order.</param>
internal sealed record Verdict(string? Content, string? Id, string[] Faults);

/// <summary>Judges events by the documented contract, with none of the host's code.</summary>
internal static partial class EventOracle
{
    private const int Deepest = 64;

    public const int Largest = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static readonly Dictionary<string, string[]> Levels = new()
    {
        ["DEBUG"] = ["DEBUG", "TRACE", "VERBOSE", "FINE", "FINER", "FINEST"],
        ["INFO"] = ["INFO", "INFORMATION", "INFORMATIONAL", "NOTICE", "LOG", "CONFIG"],
        ["WARNING"] = ["WARNING", "WARN"],
        ["ERROR"] = ["ERROR", "ERR"],
        ["CRITICAL"] = ["CRITICAL", "CRIT", "SEVERE", "FATAL", "ALERT", "EMERGENCY", "EMERG", "PANIC"],
    };

    public static Verdict Judge(ReadOnlySpan<byte> body)
    {
        var text = body.Length > Largest ? null : Decode(body);
        return text is not null
            && PlainJson.Parse(text.StartsWith('\ufeff') ? text[1..] : text, Deepest) is { Kind: '{' } sent
            ? Judge(sent)
            : new(null, null, ["body"]);
    }

    /// <summary>The content of a stored event as the API shows it.</summary>
    public static string ContentOf(PlainJson stored) =>
        Content(Time(stored["occurred_at"]!.Text)!.Value, stored["level"]!.Text, stored["message"]!.Text,
            stored["stack"], stored["tags"], stored["context"]);

    private static Verdict Judge(PlainJson sent)
    {
        var faults = new SortedSet<string>(StringComparer.Ordinal);
        var occurredAt = sent["occurred_at"] is { Kind: '"' } time ? Time(time.Text) : null;
        if (occurredAt is null) faults.Add("occurred_at");
        var level = sent["level"] is { } name ? Level(name) : null;
        if (level is null) faults.Add("level");
        if (sent["message"] is not { Kind: '"', Text.Length: > 0 }) faults.Add("message");
        if (sent["stack"] is { Kind: '0' or 't' or 'f' }) faults.Add("stack");
        if (sent["tags"] is { Kind: not ('{' or 'n') }) faults.Add("tags");
        if (sent["event_id"] is { Kind: not 'n' } id && (id.Kind != '"' || !Uuid().IsMatch(id.Text))) faults.Add("event_id");
        if (faults.Count > 0) return new(null, null, [.. faults]);

        var kept = KeptOracle.Of(sent);
        var content = Content(occurredAt!.Value, level!, kept.Message, kept.Stack, kept.Tags, kept.Context);
        return new(content, sent["event_id"] is { Kind: '"' } named ? named.Text.Replace("-", "").ToLowerInvariant() : null, []);
    }

    private static string? Level(PlainJson value)
    {
        if (value.Kind is not ('"' or '0')) return null;
        bool IsKnown(string[] names) => names.Contains(value.Text, StringComparer.OrdinalIgnoreCase);
        if (Levels.FirstOrDefault(level => IsKnown(level.Value)).Key is { } known) return known;
        return Tens().Match(value.Text) is { Success: true } number ? Levels.Keys.ElementAt(number.Value[0] - '1') : null;
    }

    /// <summary>No context is equal to an empty one; of what it names as dropped only counts that it does.</summary>
    private static string Content(long occurredAt, string level, string message, PlainJson? stack, PlainJson? tags, PlainJson? context)
    {
        var members = context is { Kind: '{' } ? context.Members.Where(member => member.Name != KeptOracle.Dropped).ToList() : [];
        var names = context?[KeptOracle.Dropped] is null ? "" : "names what was dropped";
        var kept = members.Count == 0 ? "" : new PlainJson('{', "", members).Canonical;
        return $"{occurredAt}|{level}|{message.Length}:{message}|{Content(stack)}|{Content(tags)}|{kept}|{names}";
    }

    private static string? Content(PlainJson? json) => json is null or { Kind: 'n' } ? null : json.Canonical;

    private static string? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return Strict.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Microseconds since the year 1, UTC; null if it is no time.</summary>
    private static long? Time(string text)
    {
        if (Rfc3339().Match(text) is not { Success: true } match) return null;
        int Part(string name) =>
            match.Groups[name] is { Success: true, Value: var digits }
                ? int.Parse(digits, CultureInfo.InvariantCulture)
                : 0;
        if (Part("y") < 1 || Part("o") is < 1 or > 12 || Part("d") < 1
            || Part("d") > DateTime.DaysInMonth(Part("y"), Part("o")) || Part("h") > 23 || Part("m") > 59
            || Part("s") > 60)
            return null;
        if (Part("zm") > 59 || Part("zh") * 60 + Part("zm") > 14 * 60) return null;
        var local = new DateTime(
            Part("y"), Part("o"), Part("d"), Part("h"), Part("m"),
            0).Ticks / TimeSpan.TicksPerMicrosecond + Part("s") * TimeSpan.MicrosecondsPerSecond;
        var offset = (Part("zh") * 60 + Part("zm")) * TimeSpan.MicrosecondsPerMinute * (match.Groups["sign"].Value == "-" ? -1 : 1);
        var utc = local - offset + int.Parse(match.Groups["f"].Value.PadRight(6, '0')[..6], CultureInfo.InvariantCulture);
        if (Part("s") == 60 && utc % TimeSpan.MicrosecondsPerDay >= TimeSpan.MicrosecondsPerSecond)
            return null; // no leap second, unless it is that of a day in UTC
        return utc >= 0 && utc <= DateTime.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond ? utc : null;
    }

    /// <summary>
    /// With an offset, or naive; the day alone, or without seconds. A space may stand for the T of a whole time, and
    /// offsets may lack their colon.
    /// </summary>
    [GeneratedRegex(
        @"\A(?<y>[0-9]{4})-(?<o>[0-9]{2})-(?<d>[0-9]{2})"
        + @"(([Tt ](?<h>[0-9]{2}):(?<m>[0-9]{2}):(?<s>[0-9]{2})(\.(?<f>[0-9]+))?|[Tt](?<h>[0-9]{2}):(?<m>[0-9]{2}))"
        + @"([Zz]|(?<sign>[+-])(?<zh>[0-9]{2}):?(?<zm>[0-9]{2}))?)?\z")]
    private static partial Regex Rfc3339();

    /// <summary>Python's levels, and those between them.</summary>
    [GeneratedRegex(@"\A([1-4][0-9]|50)(\.0+)?\z")]
    private static partial Regex Tens();

    [GeneratedRegex(@"\A([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\z")]
    private static partial Regex Uuid();
}
