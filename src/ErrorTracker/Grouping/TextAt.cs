using System.Globalization;
using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>How a text stands in JSON.</summary>
internal enum TextKind : byte
{
    None,
    Plain,
    Escaped,
    Number,
}

/// <summary>Where a text stands in JSON, so that only texts that count become strings.</summary>
/// <param name="Start">Of the text without its quotes, in bytes.</param>
/// <param name="Length">In bytes.</param>
internal readonly record struct TextAt(int Start, int Length, TextKind Kind)
{
    /// <summary>So many characters of a text are read.</summary>
    public const int Longest = 8192;

    public bool IsNone => Kind == TextKind.None || Length == 0;

    /// <summary>The text, cut after some characters; null if there is none or it is empty.</summary>
    /// <param name="json">The JSON that it stands in.</param>
    public string? In(ReadOnlySpan<byte> json, int most = Longest)
    {
        if (IsNone || Start + Length > json.Length) return null;
        var text = json.Slice(Start, Length);
        return Kind switch
        {
            TextKind.Plain => Decode(text, most),
            TextKind.Escaped => Unescape(text, most),
            _ => Canonical(Encoding.UTF8.GetString(text)),
        };
    }

    /// <summary>No character takes more than three bytes for each unit of UTF-16.</summary>
    private static string Decode(ReadOnlySpan<byte> text, int most)
    {
        if (text.Length <= most) return Encoding.UTF8.GetString(text);
        var start = Encoding.UTF8.GetString(text[..Math.Min(text.Length, 3 * most + 3)]);
        return start.Length > most ? start[..most] : start;
    }

    /// <summary>What is no escape loses its backslash: nothing is refused here.</summary>
    private static string Unescape(ReadOnlySpan<byte> text, int most)
    {
        var plain = new StringBuilder();
        while (!text.IsEmpty && plain.Length < most)
        {
            var next = text.IndexOf((byte)'\\');
            var before = next < 0 ? text : text[..next];
            plain.Append(Decode(before, most));
            if (next < 0) break;
            text = text[(next + 1)..];
            if (text.IsEmpty) break;
            text = text[Unescape(text, plain)..];
        }
        if (plain.Length > most) plain.Length = most;
        return plain.ToString();
    }

    /// <returns>Bytes of the escape behind its backslash.</returns>
    private static int Unescape(ReadOnlySpan<byte> escape, StringBuilder plain)
    {
        if (escape[0] == 'u' && escape.Length >= 5
            && ushort.TryParse(escape[1..5], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
        {
            plain.Append((char)unit);
            return 5;
        }
        plain.Append((char)escape[0] switch
        {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'b' => '\b',
            'f' => '\f',
            var other => other,
        });
        return 1;
    }

    /// <summary>As it is sent and as it is stored a number may be written in several ways: 1e2 and 100.</summary>
    private static string Canonical(string number)
    {
        if (decimal.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
            return exact == 0 ? "0" : exact.ToString("G29", CultureInfo.InvariantCulture);
        return double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? value.ToString("R", CultureInfo.InvariantCulture)
            : number;
    }
}
