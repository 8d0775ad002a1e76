using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Intake;

/// <summary>
/// Writes JSON as it was sent, but for what the log cannot hold, and notes what was dropped or changed, and why. Each
/// event has its own, as all its numbers share a limit. A value is read once, so it costs its size, however it is
/// nested.
/// </summary>
internal sealed class KeptJson
{
    /// <summary>Readers of an answer stop at 64 levels, and some are the log's and the answer's own.</summary>
    private const int MostDepth = 50;

    private const int MostNotes = 50, LongestPath = 200;

    /// <summary>Deeper than any event that a protocol reads, with what is written around it.</summary>
    private const int DeepestWritten = 120;

    private static readonly JsonWriterOptions Plain = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
        MaxDepth = DeepestWritten,
    };

    /// <summary>Of a context: what could not be kept as it was sent, and why.</summary>
    public const string DroppedMember = "dropped";

    /// <summary>Values were parsed before they come here: their depth has been judged.</summary>
    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = int.MaxValue };

    private readonly Dictionary<string, string> _dropped = [];
    private long _numbers;
    private int _unnamed;

    /// <summary>The reasons, by path; beyond 50 paths only their number, under <c>*</c>.</summary>
    public IReadOnlyDictionary<string, string> Dropped
    {
        get
        {
            if (_unnamed > 0)
                _dropped["*"] = string.Create(CultureInfo.InvariantCulture, $"{_unnamed:N0} more are not named");
            return _dropped;
        }
    }

    public void Drop(string path, string why)
    {
        if (_dropped.Count < MostNotes) _dropped.TryAdd(CodePoints.Truncate(path, LongestPath), why);
        else _unnamed++;
    }

    /// <summary>The reasons as the member <c>dropped</c> of a context; nothing if there are none.</summary>
    public void WriteDropped(Utf8JsonWriter context)
    {
        if (Dropped.Count == 0) return;
        context.WriteStartObject(DroppedMember);
        foreach (var (path, why) in Dropped) context.WriteString(path, why);
        context.WriteEndObject();
    }

    /// <summary>An object of these members.</summary>
    public static RawJson Write(Action<Utf8JsonWriter> members)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Plain))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        return new(buffer.WrittenMemory);
    }

    /// <param name="path">Of the object that has it; empty for the event itself.</param>
    public void WriteMember(Utf8JsonWriter json, JsonProperty member, string path)
    {
        json.WritePropertyName(member.Name);
        WriteValue(json, member.Value, path, member.Name);
    }

    /// <summary>
    /// Writes a value as it was sent, but for what the log cannot hold: numbers out of range become text, and what is
    /// nested too deep becomes null.
    /// </summary>
    /// <param name="path">Of the object that has it; empty for the event itself.</param>
    /// <param name="name">Its name there.</param>
    public void WriteValue(Utf8JsonWriter json, JsonElement value, string path, string name)
    {
        var sent = JsonMarshal.GetRawUtf8Value(value);
        var mayNeedChange = value.ValueKind is JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Number;
        var changed = mayNeedChange ? Change(sent, path, name) : null;
        json.WriteRawValue(changed is null ? sent : changed.WrittenSpan, skipInputValidation: true);
    }

    /// <summary>The value with what the log cannot hold replaced; null if it can hold all.</summary>
    private ArrayBufferWriter<byte>? Change(ReadOnlySpan<byte> sent, string path, string name)
    {
        ArrayBufferWriter<byte>? changed = null;
        var copied = 0;
        Span<PathStep> steps = stackalloc PathStep[MostDepth + 1];
        for (var reader = new Utf8JsonReader(sent, AnyDepth); reader.Read();)
        {
            Follow(ref reader, steps);
            if (CanHold(ref reader)) continue;

            Note(ref reader, sent, steps[..(reader.CurrentDepth + 1)], path, name);
            changed ??= new ArrayBufferWriter<byte>(sent.Length + 2);
            changed.Write(sent[copied..(int)reader.TokenStartIndex]);
            WriteInstead(changed, ref reader);
            copied = (int)reader.BytesConsumed;
        }
        changed?.Write(sent[copied..]);
        return changed;
    }

    private bool CanHold(ref Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.Number => StorableNumbers.Fits(reader.ValueSpan, ref _numbers, EventLimits.Largest),
        JsonTokenType.StartObject or JsonTokenType.StartArray => reader.CurrentDepth < MostDepth,
        _ => true,
    };

    private static void WriteInstead(ArrayBufferWriter<byte> json, ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Number)
        {
            json.Write("\""u8);
            json.Write(reader.ValueSpan);
            json.Write("\""u8);
            return;
        }
        json.Write("null"u8);
        reader.Skip();
    }

    private void Note(
        ref Utf8JsonReader reader, ReadOnlySpan<byte> sent, scoped ReadOnlySpan<PathStep> steps,
        string path, string name)
    {
        if (_dropped.Count >= MostNotes)
        {
            _unnamed++;
            return;
        }
        var why = reader.TokenType == JsonTokenType.Number
            ? "is a number out of range: kept as text"
            : $"is nested deeper than {MostDepth} levels";
        path = path.Length == 0 ? name : Below(path, name);
        foreach (var step in steps[1..]) path = Below(path, step.In(sent));
        Drop(path, why);
    }

    private static string Below(string path, string name) =>
        path.Length < LongestPath ? CodePoints.Truncate($"{path}.{name}", LongestPath) : path;

    /// <summary>Keeps the steps from the value to the token: one for each object and array around it.</summary>
    private static void Follow(ref Utf8JsonReader reader, scoped Span<PathStep> steps)
    {
        var depth = reader.CurrentDepth;
        switch (reader.TokenType)
        {
            case JsonTokenType.EndObject or JsonTokenType.EndArray:
                return;
            case JsonTokenType.PropertyName:
                var start = (int)reader.TokenStartIndex;
                steps[depth] = new(start, (int)reader.BytesConsumed - start, -1);
                return;
            default:
                if (steps[depth].Length == 0) steps[depth].Index++;
                var begins = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
                if (begins && depth < MostDepth) steps[depth + 1] = new(0, 0, -1);
                return;
        }
    }

    /// <summary>Where a value is in the object or array around it.</summary>
    /// <param name="start">Of its name with the quotes, in the bytes that were sent.</param>
    /// <param name="length">Of the same; 0 in an array.</param>
    /// <param name="index">In an array, from 0.</param>
    private struct PathStep(int start, int length, int index)
    {
        public readonly int Length = length;
        public int Index = index;

        public readonly string In(ReadOnlySpan<byte> sent)
        {
            if (Length == 0) return Index.ToString(CultureInfo.InvariantCulture);
            var name = new Utf8JsonReader(sent.Slice(start, sent.Slice(start, Length).LastIndexOf((byte)'"') + 1));
            name.Read();
            return name.GetString()!;
        }
    }
}
