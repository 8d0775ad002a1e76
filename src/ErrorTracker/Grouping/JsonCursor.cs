using System.Text;
using System.Text.Json;

namespace ErrorTracker.Grouping;

/// <summary>
/// Goes through JSON in UTF-8 once, from its start to its end. It stands on a value, which is to be entered, read or
/// passed over before the next member or item is asked for. It throws a <see cref="JsonException"/> on what is no JSON.
/// </summary>
internal ref struct JsonCursor
{
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private readonly ReadOnlySpan<byte> _json;
    private Utf8JsonReader _reader;

    public JsonCursor(ReadOnlySpan<byte> json)
    {
        _json = json;
        _reader = new(json, AnyDepth);
        if (!json.IsEmpty) _reader.Read();
    }

    /// <summary>Where the value starts.</summary>
    public readonly int Start => (int)_reader.TokenStartIndex;

    /// <summary>Behind the value, if it was read or passed over.</summary>
    public readonly int End => (int)_reader.BytesConsumed;

    public readonly bool IsObject => _reader.TokenType == JsonTokenType.StartObject;

    public readonly bool IsList => _reader.TokenType == JsonTokenType.StartArray;

    public readonly bool IsString => _reader.TokenType == JsonTokenType.String;

    /// <summary>Enters an object; passes over any other value.</summary>
    public bool TryEnterObject() => IsObject || PassOver();

    /// <summary>Enters a list; passes over any other value.</summary>
    public bool TryEnterList() => IsList || PassOver();

    private bool PassOver()
    {
        Skip();
        return false;
    }

    /// <summary>Passes over the value.</summary>
    public void Skip() => _reader.Skip();

    /// <summary>Goes to the next member's value; false behind the last.</summary>
    public bool TryNextMember(out ReadOnlySpan<byte> name)
    {
        name = default;
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.PropertyName) return false;
        name = _reader.ValueIsEscaped
            ? Encoding.UTF8.GetBytes(Text(TextKind.Escaped).In(_json) ?? "")
            : _reader.ValueSpan;
        return _reader.Read();
    }

    /// <summary>Goes to the next item; false behind the last.</summary>
    public bool TryNextItem() => _reader.Read() && _reader.TokenType != JsonTokenType.EndArray;

    /// <summary>A text; passes over any other value, which is none.</summary>
    public TextAt ReadString()
    {
        if (IsString) return Text(_reader.ValueIsEscaped ? TextKind.Escaped : TextKind.Plain);
        Skip();
        return default;
    }

    /// <summary>A text, a number, true or false; passes over any other value, which is none.</summary>
    public TextAt ReadText() => _reader.TokenType switch
    {
        JsonTokenType.Number => new(Start, _reader.ValueSpan.Length, TextKind.Number),
        JsonTokenType.True or JsonTokenType.False => new(Start, _reader.ValueSpan.Length, TextKind.Plain),
        _ => ReadString(),
    };

    private readonly TextAt Text(TextKind kind) => new(Start + 1, _reader.ValueSpan.Length, kind);

    /// <summary>True or false; null for any other value.</summary>
    public bool? ReadFlag()
    {
        var type = _reader.TokenType;
        Skip();
        return type == JsonTokenType.True ? true : type == JsonTokenType.False ? false : null;
    }

    /// <summary>Null for what is no whole number.</summary>
    public long? ReadInteger()
    {
        if (_reader.TokenType == JsonTokenType.Number && _reader.TryGetInt64(out var number)) return number;
        Skip();
        return null;
    }

    /// <summary>Whether a list or an object has any content; passes over it.</summary>
    public bool ReadHasContent()
    {
        var isNested = IsObject || IsList;
        var start = Start + 1;
        Skip();
        return isNested && _json[start..Start].ContainsAnyExcept(" \t\r\n"u8);
    }
}
