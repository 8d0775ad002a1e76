using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ErrorTracker.Grouping;

/// <summary>
/// Goes through JSON in UTF-8 once, from its start to its end, and passes over what nobody asks for some times faster
/// than a reader of tokens: most of an event is of no account here. It relies on JSON that was read before; of any other
/// bytes it makes something, but it does not fail and comes to an end.
/// </summary>
internal ref struct JsonCursor(ReadOnlySpan<byte> json)
{
    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[]"u8);
    private static readonly SearchValues<byte> EndOfScalar = SearchValues.Create(",}] \t\r\n"u8);

    private readonly ReadOnlySpan<byte> _json = json;
    /// <summary>Of the next byte that is not blank.</summary>
    public int Position
    {
        get
        {
            SkipBlanks();
            return End;
        }
    }

    /// <summary>Behind the value that was read last.</summary>
    public int End { get; private set; }

    /// <summary>Of the next value; 0 at the end.</summary>
    public byte FirstByte => Position < _json.Length ? _json[End] : (byte)0;

    /// <summary>Enters an object; passes over any other value.</summary>
    public bool TryEnterObject() => TryEnter((byte)'{');

    /// <summary>Enters a list; passes over any other value.</summary>
    public bool TryEnterList() => TryEnter((byte)'[');

    private bool TryEnter(byte start)
    {
        if (FirstByte != start)
        {
            Skip();
            return false;
        }
        End++;
        return true;
    }

    /// <summary>The next member's name, whose value is next; false behind the last.</summary>
    public bool TryNextMember(out ReadOnlySpan<byte> name)
    {
        name = default;
        while (TryNext((byte)'}'))
        {
            if (_json[End] != '"')
            {
                Skip();
                continue;
            }
            var text = ReadText();
            name = text.Kind == TextKind.Plain
                ? _json.Slice(text.Start, text.Length)
                : Encoding.UTF8.GetBytes(text.In(_json) ?? "");
            if (FirstByte == ':') End++;
            return true;
        }
        return false;
    }

    /// <summary>Whether there is another item, which is next; false behind the last.</summary>
    public bool TryNextItem() => TryNext((byte)']');

    private bool TryNext(byte end)
    {
        while (FirstByte == ',') End++;
        if (End >= _json.Length) return false;
        if (_json[End] != end) return true;
        End++;
        return false;
    }

    /// <summary>A text, a number, true or false; passes over any other value, which is none.</summary>
    public TextAt ReadText()
    {
        var first = FirstByte;
        var start = End;
        Skip();
        if (first == '"')
        {
            var text = _json[(start + 1)..Math.Max(start + 1, End - 1)];
            return new(start + 1, text.Length, text.Contains((byte)'\\') ? TextKind.Escaped : TextKind.Plain);
        }
        if (first is (byte)'t' or (byte)'f') return new(start, End - start, TextKind.Plain);
        return first is (byte)'-' or (>= (byte)'0' and <= (byte)'9') ? new(start, End - start, TextKind.Number) : default;
    }

    /// <summary>A text; passes over any other value, which is none.</summary>
    public TextAt ReadString() => FirstByte == '"' ? ReadText() : SkipToNone();

    private TextAt SkipToNone()
    {
        Skip();
        return default;
    }

    /// <summary>True or false; null for any other value.</summary>
    public bool? ReadFlag()
    {
        var first = FirstByte;
        Skip();
        return first == 't' ? true : first == 'f' ? false : null;
    }

    /// <summary>Whether a list or an object has any content.</summary>
    public bool ReadHasContent()
    {
        var isNested = FirstByte is (byte)'[' or (byte)'{';
        var start = End;
        Skip();
        return isNested && _json[(start + 1)..Math.Max(start + 1, End - 1)].ContainsAnyExcept(" \t\r\n"u8);
    }

    /// <summary>Null for what is no whole number.</summary>
    public long? ReadInteger()
    {
        var start = Position;
        Skip();
        var digits = _json[start..End];
        var isNumber = Utf8Parser.TryParse(digits, out long value, out var read) && read == digits.Length;
        return isNumber ? value : null;
    }

    /// <summary>Passes over one value. It goes on by a byte at least, if there is one.</summary>
    public void Skip()
    {
        switch (FirstByte)
        {
            case (byte)'"':
                SkipString();
                return;
            case (byte)'{' or (byte)'[':
                SkipNested();
                return;
            default:
                if (End >= _json.Length) return;
                var length = _json[(End + 1)..].IndexOfAny(EndOfScalar);
                End = length < 0 ? _json.Length : End + 1 + length;
                return;
        }
    }

    private void SkipNested()
    {
        var depth = 0;
        while (End < _json.Length)
        {
            var next = _json[End..].IndexOfAny(Structure);
            if (next < 0) break;
            End += next;
            var c = _json[End];
            if (c == '"')
            {
                SkipString();
                continue;
            }
            End++;
            depth += c is (byte)'{' or (byte)'[' ? 1 : -1;
            if (depth == 0) return;
        }
        End = _json.Length;
    }

    private void SkipString()
    {
        End++;
        while (End < _json.Length)
        {
            var next = _json[End..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0) break;
            End += next + 1;
            if (_json[End - 1] == '"') return;
            End++;
        }
        End = _json.Length;
    }

    private void SkipBlanks()
    {
        while (End < _json.Length && _json[End] is (byte)' ' or (byte)'\t' or (byte)'\r' or (byte)'\n') End++;
    }
}
