using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>
/// The parts by which an SDK or a rule of the application says which errors are the same. One that is exactly
/// <c>{{ name }}</c> stands for a value of the event.
/// </summary>
internal static class Fingerprint
{
    private const int MostParts = 32, LongestPart = 1024;

    private const string Default = "default", None = "<none>";

    /// <summary>The parts that count; null if there are none, or none but <c>{{ default }}</c>.</summary>
    public static List<string>? Of(IEnumerable<string?> sent)
    {
        var parts = new List<string>();
        foreach (var part in sent.Take(MostParts))
            if (!string.IsNullOrEmpty(part)) parts.Add(Cut(part));
        return parts.All(IsDefault) ? null : parts;
    }

    public static bool IsDefault(string part) => Variable(part) is Default;

    /// <summary>What a part stands for in an event.</summary>
    /// <param name="part">Not <c>{{ default }}</c>.</param>
    public static string ValueOf(string part, EventValues values)
    {
        var variable = Variable(part);
        if (variable.IsEmpty) return part;
        var name = variable.ToString();
        if (!EventValues.Knows(name)) return part;
        return values.Of(name) is { Length: > 0 } value ? Cut(value) : None;
    }

    /// <summary>The name in a part that is exactly <c>{{ name }}</c>; empty for all others.</summary>
    private static ReadOnlySpan<char> Variable(ReadOnlySpan<char> part) =>
        part.Length > 4 && part.StartsWith("{{") && part.EndsWith("}}") ? part[2..^2].Trim() : default;

    /// <summary>Cut to a kibibyte of UTF-8.</summary>
    private static string Cut(string part)
    {
        if (part.Length <= LongestPart / 3 || Encoding.UTF8.GetByteCount(part) <= LongestPart) return part;
        var (length, bytes) = (0, 0);
        foreach (var rune in part.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > LongestPart) break;
            length += rune.Utf16SequenceLength;
        }
        return part[..length];
    }
}
