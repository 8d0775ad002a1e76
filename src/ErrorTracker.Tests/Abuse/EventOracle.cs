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
    private const int LongestMessage = 8192, MostTags = 64, Deepest = 64, LongestNumber = 400, LargestExponent = 308, MostWrittenOut = Largest;

    public const int Largest = 1024 * 1024;

    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private static readonly Dictionary<string, string> Levels = new(StringComparer.OrdinalIgnoreCase)
    {
        ["DEBUG"] = "DEBUG", ["INFO"] = "INFO", ["WARNING"] = "WARNING", ["WARN"] = "WARNING", ["ERROR"] = "ERROR", ["CRITICAL"] = "CRITICAL", ["FATAL"] = "CRITICAL",
    };

    public static Verdict Judge(ReadOnlySpan<byte> body)
    {
        var text = body.Length > Largest ? null : Decode(body);
        return text is not null && PlainJson.Parse(text.StartsWith('\ufeff') ? text[1..] : text, Deepest) is { Kind: '{' } sent ? Judge(sent) : new(null, null, ["body"]);
    }

    /// <summary>The content of a stored event as the API shows it.</summary>
    public static string ContentOf(PlainJson stored) => Content(Time(stored["occurred_at"]!.Text)!.Value, stored["level"]!.Text, stored["message"]!.Text, stored["stack"], stored["tags"]);

    private static Verdict Judge(PlainJson sent)
    {
        var faults = new SortedSet<string>(StringComparer.Ordinal);
        var occurredAt = sent["occurred_at"] is { Kind: '"' } time ? Time(time.Text) : null;
        if (occurredAt is null) faults.Add("occurred_at");
        var level = sent["level"] is { Kind: '"' } name ? Levels.GetValueOrDefault(name.Text) : null;
        if (level is null) faults.Add("level");
        if (sent["message"] is not { Kind: '"' } message || message.Text.EnumerateRunes().Count() is 0 or > LongestMessage) faults.Add("message");
        var written = 0L;
        foreach (var field in new[] { "stack", "tags" })
            if (sent[field] is { Kind: not 'n' } value && (value.Kind != '{' || !value.Numbers.All(number => Fits(number.Text, ref written)))) faults.Add(field);
        if (sent["tags"]?.Members.Count > MostTags) faults.Add("tags");
        if (sent["event_id"] is { Kind: not 'n' } id && (id.Kind != '"' || !Uuid().IsMatch(id.Text))) faults.Add("event_id");
        return faults.Count > 0
            ? new(null, null, [.. faults])
            : new(Content(occurredAt!.Value, level!, sent["message"]!.Text, sent["stack"], sent["tags"]), sent["event_id"] is { Kind: '"' } named ? named.Text.Replace("-", "").ToLowerInvariant() : null, []);
    }

    private static bool Fits(string number, ref long written)
    {
        written += number.Length;
        if (number.Length > LongestNumber) return false;
        if (number.IndexOfAny(['e', 'E']) is > 0 and var at)
        {
            if (!int.TryParse(number[(at + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent) || Math.Abs(exponent) > LargestExponent) return false;
            written += Math.Abs(exponent);
        }
        return written <= MostWrittenOut;
    }

    private static string Content(long occurredAt, string level, string message, PlainJson? stack, PlainJson? tags) =>
        $"{occurredAt}|{level}|{message.Length}:{message}|{Content(stack)}|{Content(tags)}";

    private static string? Content(PlainJson? json) => json is { Kind: '{' } ? json.Canonical : null;

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
        int Part(string name) => match.Groups[name] is { Success: true, Value: var digits } ? int.Parse(digits, CultureInfo.InvariantCulture) : 0;
        if (Part("y") < 1 || Part("o") is < 1 or > 12 || Part("d") < 1 || Part("d") > DateTime.DaysInMonth(Part("y"), Part("o")) || Part("h") > 23 || Part("m") > 59 || Part("s") > 60) return null;
        if (Part("zm") > 59 || Part("zh") * 60 + Part("zm") > 14 * 60) return null;
        var local = new DateTime(Part("y"), Part("o"), Part("d"), Part("h"), Part("m"), 0).Ticks / TimeSpan.TicksPerMicrosecond + Part("s") * TimeSpan.MicrosecondsPerSecond;
        var offset = (Part("zh") * 60 + Part("zm")) * TimeSpan.MicrosecondsPerMinute * (match.Groups["sign"].Value == "-" ? -1 : 1);
        var utc = local - offset + int.Parse(match.Groups["f"].Value.PadRight(6, '0')[..6], CultureInfo.InvariantCulture);
        if (Part("s") == 60 && utc % TimeSpan.MicrosecondsPerDay >= TimeSpan.MicrosecondsPerSecond) return null; // no leap second, unless it is that of a day in UTC
        return utc >= 0 && utc <= DateTime.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond ? utc : null;
    }

    /// <summary>With an offset, or naive; the day alone, or without seconds. A space may stand for the T of a whole time, and offsets may lack their colon.</summary>
    [GeneratedRegex(@"\A(?<y>[0-9]{4})-(?<o>[0-9]{2})-(?<d>[0-9]{2})(([Tt ](?<h>[0-9]{2}):(?<m>[0-9]{2}):(?<s>[0-9]{2})(\.(?<f>[0-9]+))?|[Tt](?<h>[0-9]{2}):(?<m>[0-9]{2}))([Zz]|(?<sign>[+-])(?<zh>[0-9]{2}):?(?<zm>[0-9]{2}))?)?\z")]
    private static partial Regex Rfc3339();

    [GeneratedRegex(@"\A([0-9a-fA-F]{32}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})\z")]
    private static partial Regex Uuid();
}
