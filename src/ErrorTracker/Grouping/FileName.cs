using System.Buffers;

namespace ErrorTracker.Grouping;

/// <summary>
/// What stays of a file's address from one build to the next: its last part in lower case, without query, content hash
/// and <c>.min</c>. Pure; costs the length of the address.
/// </summary>
/// <param name="Text">Null if there is no file.</param>
/// <param name="IsBuilt">The name had a hash or <c>.min</c>: a tool made the file.</param>
internal readonly record struct FileName(string? Text, bool IsBuilt)
{
    /// <summary>Stands for a name that is nothing but a hash, or a number.</summary>
    private const string Hash = "<hash>", Number = "<n>";

    private const int LongestName = 200;

    /// <summary>A whole name that is no hexadecimal has so many characters at least if it is a hash.</summary>
    private const int LongHash = 16;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdefABCDEF");

    public static FileName Of(string? address)
    {
        if (string.IsNullOrWhiteSpace(address)) return default;
        var name = address.AsSpan().Trim();
        if (IsNone(name)) return default;
        if (name.StartsWith("data:")) return new("data:", true);
        var end = name.IndexOfAny("?#");
        if (end > 0) name = name[..end];
        name = WithoutPlace(name).TrimEnd("/\\");
        name = name[(name.LastIndexOfAny("/\\") + 1)..];
        if (name.StartsWith("<ipython-input")) return new("<ipython-input>", false);
        if (name.Length > LongestName) name = name[^LongestName..];
        return name.IsEmpty ? default : WithoutHash(name);
    }

    private static bool IsNone(ReadOnlySpan<char> name) =>
        name is "<anonymous>" or "native" or "[native code]" or "native code" or "<unknown>" or "unknown" or "?" or "??"
        || name.StartsWith("eval at ") || name.StartsWith("(eval");

    /// <summary>Some write the line behind the name: <c>app.js:12:5</c>, <c>app.php(12) : eval()'d code</c>.</summary>
    private static ReadOnlySpan<char> WithoutPlace(ReadOnlySpan<char> name)
    {
        var bracket = name.IndexOf('(');
        if (bracket > 0 && bracket + 1 < name.Length && char.IsAsciiDigit(name[bracket + 1])) name = name[..bracket];
        while (true)
        {
            var shorter = name.TrimEnd("0123456789");
            if (shorter.Length == name.Length || shorter.Length < 2 || shorter[^1] != ':') return name;
            name = shorter[..^1];
        }
    }

    private static FileName WithoutHash(ReadOnlySpan<char> name)
    {
        var parts = new List<string>();
        var isBuilt = false;
        foreach (var range in name.Split('.'))
        {
            var part = name[range];
            if (parts.Count > 0 && (part is "min" || IsHash(part)))
            {
                isBuilt = true;
                continue;
            }
            var kept = WithoutTail(part);
            isBuilt |= kept.Length < part.Length;
            parts.Add(First(kept, isFirst: parts.Count == 0));
        }
        return new(string.Join('.', parts).ToLowerInvariant(), isBuilt || parts[0] is Hash or Number);
    }

    private static string First(ReadOnlySpan<char> part, bool isFirst)
    {
        if (!isFirst || part.IsEmpty) return part.ToString();
        if (!part.ContainsAnyExceptInRange('0', '9')) return Number;
        var isHash = IsHash(part) && (part.Length >= LongHash || !part.ContainsAnyExcept(HexDigits));
        return isHash || Guid.TryParse(part, out _) ? Hash : part.ToString();
    }

    /// <summary>Without a hash behind a <c>-</c>, <c>_</c> or <c>~</c>.</summary>
    private static ReadOnlySpan<char> WithoutTail(ReadOnlySpan<char> part)
    {
        if (Guid.TryParse(part, out _)) return part;
        while (true)
        {
            var at = part.LastIndexOfAny("-_~");
            if (at > 0 && IsHash(part[(at + 1)..]))
            {
                part = part[..at];
                continue;
            }
            return part.Length > 9 && part[^9] == '-' && IsBase64Hash(part[^8..]) ? part[..^9] : part;
        }
    }

    /// <summary>
    /// Characters that nobody would think of: seven digits of hexadecimal, or eight letters and digits of which the kind
    /// changes more often than in words that are joined.
    /// </summary>
    private static bool IsHash(ReadOnlySpan<char> text)
    {
        if (text.Length < 7) return false;
        var (digits, upper, changes, beyondHex) = (0, 0, 0, 0);
        var last = 0;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c)) return false;
            var kind = char.IsAsciiDigit(c) ? 1 : char.IsAsciiLetterUpper(c) ? 2 : 3;
            if (kind == 1) digits++;
            else if (kind == 2) upper++;
            if (!char.IsAsciiHexDigit(c)) beyondHex++;
            if (last != 0 && kind != last && !(last == 2 && kind == 3)) changes++;
            last = kind;
        }
        if (beyondHex == 0) return digits > 0;
        if (text.Length < 8) return false;
        if (digits > 0) return changes * 10 >= text.Length * 3;
        return text.Length == 8 && (upper == text.Length || changes >= 2);
    }

    /// <summary>Vite's hashes have eight characters, which <c>-</c> and <c>_</c> may be among.</summary>
    private static bool IsBase64Hash(ReadOnlySpan<char> text)
    {
        var (digits, upper, lower, marks) = (0, 0, 0, 0);
        foreach (var c in text)
        {
            if (char.IsAsciiDigit(c)) digits++;
            else if (char.IsAsciiLetterUpper(c)) upper++;
            else if (char.IsAsciiLetterLower(c)) lower++;
            else if (c is '-' or '_') marks++;
            else return false;
        }
        return marks > 0 && upper > 0 && lower > 0 && digits + upper >= 2;
    }
}
