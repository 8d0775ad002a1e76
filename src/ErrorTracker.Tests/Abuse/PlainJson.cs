using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// JSON as RFC 8259 has it, read by code that shares nothing with the host's. Duplicate members are kept; what is no
/// text becomes U+FFFD.
/// </summary>
/// <param name="Kind">One of <c>{ [ " 0 t f n</c>.</param>
/// <param name="Text">Of a string its value, else as it was written.</param>
/// <param name="Members">Of an object, or of an array, where they have no names.</param>
internal sealed partial record PlainJson(char Kind, string Text, IReadOnlyList<(string Name, PlainJson Value)> Members)
{
    /// <summary>Null if the text is no JSON, or nested deeper.</summary>
    public static PlainJson? Parse(string text, int deepest)
    {
        try
        {
            return new Reader(text, deepest).ReadAll();
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>The last member of that name, or null.</summary>
    public PlainJson? this[string name] => Members.LastOrDefault(member => member.Name == name).Value;

    /// <summary>
    /// Equal for what JSONB holds equal: order and repetition of members, and how a number is written, do not count.
    /// </summary>
    public string Canonical => Kind switch
    {
        '"' => $"\"{Text.Length}:{Text}",
        '0' => Numeral(Text),
        '[' => $"[{string.Join(',', Members.Select(member => member.Value.Canonical))}]",
        '{' => $"{{{string.Join(',', CanonicalMembers)}}}",
        _ => Text,
    };

    private IEnumerable<string> CanonicalMembers =>
        Members.GroupBy(member => member.Name)
            .OrderBy(named => named.Key, StringComparer.Ordinal)
            .Select(named => $"{named.Key.Length}:{named.Key}={named.Last().Value.Canonical}");

    private static string Numeral(string number)
    {
        var parts = number.TrimStart('-').ToLowerInvariant().Split('e');
        var mantissa = parts[0].Split('.');
        var digits = string.Concat(mantissa);
        var power = parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0;
        var exponent = power - (mantissa.Length > 1 ? mantissa[1].Length : 0);
        var significant = digits.TrimEnd('0');
        exponent += digits.Length - significant.Length;
        significant = significant.TrimStart('0');
        return significant.Length == 0 ? "0" : $"{(number[0] == '-' ? "-" : "")}{significant}e{exponent}";
    }

    private sealed partial class Reader(string text, int deepest)
    {
        private int _at;

        private char Next => _at < text.Length ? text[_at] : '\0';

        public PlainJson ReadAll()
        {
            var value = ReadValue(0);
            SkipBlank();
            return _at == text.Length ? value : throw new FormatException();
        }

        private PlainJson ReadValue(int depth)
        {
            SkipBlank();
            return Next switch
            {
                '{' or '[' => ReadMembers(Next, depth + 1),
                '"' => new('"', ReadString(), []),
                _ when Scalar().Match(text, _at) is { Success: true } match => ReadScalar(match.Value),
                _ => throw new FormatException(),
            };
        }

        private PlainJson ReadScalar(string written)
        {
            _at += written.Length;
            return new(written[0] is 't' or 'f' or 'n' ? written[0] : '0', written, []);
        }

        private PlainJson ReadMembers(char open, int depth)
        {
            if (depth > deepest) throw new FormatException();
            var (members, close) = (new List<(string, PlainJson)>(), open == '{' ? '}' : ']');
            Take(open);
            SkipBlank();
            for (var isFirst = true; Next != close || !isFirst; isFirst = false)
            {
                SkipBlank();
                var name = open == '{' ? ReadString() : "";
                SkipBlank();
                if (open == '{') Take(':');
                members.Add((name, ReadValue(depth)));
                SkipBlank();
                if (Next == close) break;
                Take(',');
            }
            Take(close);
            return new(open, "", members);
        }

        private string ReadString()
        {
            var value = new StringBuilder();
            for (Take('"'); Next != '"'; _at++)
                if (Next < ' ') throw new FormatException();
                else value.Append(Next == '\\' ? ReadEscape() : Next);
            Take('"');
            return Storable(value.ToString());
        }

        private char ReadEscape()
        {
            _at++;
            if (Next != 'u')
                return "\"\\/bfnrt".IndexOf(Next) is >= 0 and var known
                    ? "\"\\/\b\f\n\r\t"[known]
                    : throw new FormatException();
            if (!Unit().IsMatch(text, _at)) throw new FormatException();
            _at += 4;
            return (char)Convert.ToInt32(text.Substring(_at - 3, 4), 16);
        }

        private static string Storable(string value) =>
            string.Concat(value.EnumerateRunes().Select(rune => rune.Value == 0 ? Rune.ReplacementChar : rune));

        private void Take(char expected)
        {
            if (Next != expected || _at == text.Length) throw new FormatException();
            _at++;
        }

        private void SkipBlank()
        {
            while (Next is ' ' or '\t' or '\r' or '\n') _at++;
        }

        [GeneratedRegex(@"\G(true|false|null|-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?)")]
        private static partial Regex Scalar();

        [GeneratedRegex(@"\Gu[0-9a-fA-F]{4}")]
        private static partial Regex Unit();
    }
}
