using System.Collections.Frozen;

namespace ErrorTracker.Grouping;

/// <summary>Codes in texts that say in any language what went wrong. Pure; costs the length of the text.</summary>
internal static class SystemCode
{
    /// <summary>Codes are looked for in so many characters of a line.</summary>
    private const int Most = 8192;

    private const string HResult = "HRESULT: ";

    /// <summary>Classes of SQLSTATE, of the standard and of databases.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Classes = FrozenSet.Create(
        StringComparer.Ordinal,
        "00", "01", "02", "03", "07", "08", "09", "0A", "0B", "0D", "0E", "0F", "0K", "0L", "0M", "0N", "0P", "0S", "0T", "0U",
        "0V", "0W", "0X", "0Y", "0Z", "10", "20", "21", "22", "23", "24", "25", "26", "27", "28", "2B", "2C", "2D", "2E", "2F",
        "2H", "30", "31", "33", "34", "35", "36", "37", "38", "39", "3B", "3C", "3D", "3F", "40", "42", "44", "45", "46", "51",
        "53", "54", "55", "56", "57", "58", "70", "72", "F0", "HV", "HW", "HY", "HZ", "IM", "P0", "S0", "S1", "XX")
        .GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>The code of the operating system that a line tells beside its words; null if it tells none.</summary>
    public static string? In(ReadOnlySpan<char> line)
    {
        if (line.Length > Most) line = line[..Most];
        for (var at = 0; at < line.Length; at++)
        {
            var next = line[at..].IndexOfAny("([H");
            if (next < 0) return null;
            at += next;
            if (At(line[at..]) is { } code) return code;
        }
        return null;
    }

    private static string? At(ReadOnlySpan<char> text) => text[0] switch
    {
        '[' => Numbered(text, "[WinError ", ']') ?? Numbered(text, "[Errno ", ']'),
        '(' => Numbered(text, "(os error ", ')') ?? Result(text[1..]),
        _ => text.StartsWith(HResult) ? Result(text[HResult.Length..]) : null,
    };

    private static string? Numbered(ReadOnlySpan<char> text, string start, char end)
    {
        if (!text.StartsWith(start, StringComparison.OrdinalIgnoreCase)) return null;
        var at = start.Length;
        if (at < text.Length && text[at] == '-') at++;
        var digits = at;
        while (at < text.Length && at < digits + 12 && char.IsAsciiDigit(text[at])) at++;
        return at > digits && at < text.Length && text[at] == end ? $"{start}{text[start.Length..(at + 1)]}" : null;
    }

    /// <summary>A failure has its highest bit set; an address that looks so has more digits.</summary>
    private static string? Result(ReadOnlySpan<char> text)
    {
        if (text.Length < 11 || text[0] != '0' || text[1] is not ('x' or 'X')) return null;
        var digits = text[2..10];
        foreach (var c in digits) if (!char.IsAsciiHexDigit(c)) return null;
        var isCode = digits[0] >= '8' && text[10] is ')' or ' ' or ',' or ':';
        return isCode ? $"(0x{digits.ToString().ToLowerInvariant()})" : null;
    }

    /// <summary>The SQLSTATE that a text starts with; null if there is none.</summary>
    public static string? SqlState(ReadOnlySpan<char> text)
    {
        text = text.TrimStart();
        if (text.StartsWith("SQLSTATE[") || text.StartsWith("SQLSTATE "))
            return text.Length >= 14 && IsState(text[9..14]) ? text[9..14].ToString() : null;
        return text.Length > 5 && text[5] == ':' && IsState(text[..5]) ? text[..5].ToString() : null;
    }

    private static bool IsState(ReadOnlySpan<char> text)
    {
        foreach (var c in text) if (!char.IsAsciiDigit(c) && !char.IsAsciiLetterUpper(c)) return false;
        return text.ContainsAnyInRange('0', '9') && Classes.Contains(text[..2]);
    }
}
