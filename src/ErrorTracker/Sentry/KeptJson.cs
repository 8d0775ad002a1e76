using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Sentry;

/// <summary>Writes JSON as it was sent, but for what the log cannot hold, and notes what was dropped or changed, and why. One for each event: all its numbers share a limit.</summary>
internal sealed class KeptJson
{
    /// <summary>Readers of an answer stop at 64 levels, and some are the log's and the answer's own.</summary>
    private const int MostDepth = 50, MostNotes = 50, LongestPath = 200;

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = SentryEvent.DeepestRead * 2 };

    private readonly Dictionary<string, string> _dropped = [];
    private long _numbers;

    /// <summary>The reasons, by path.</summary>
    public IReadOnlyDictionary<string, string> Dropped => _dropped;

    public void Drop(string path, string why)
    {
        if (_dropped.Count < MostNotes) _dropped.TryAdd(SentryText.Cut(path, LongestPath), why);
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

    /// <param name="path">Of the object that has it; empty for the event itself.</param>
    /// <param name="name">Its name there.</param>
    public void WriteValue(Utf8JsonWriter json, JsonElement value, string path, string name) =>
        WriteValue(json, value, MostDepth, path.Length == 0 ? name : Below(path, name));

    /// <summary>As it was sent, but for what the log cannot hold: numbers out of range become text, and what is nested too deep null.</summary>
    private void WriteValue(Utf8JsonWriter json, JsonElement value, int depth, string path)
    {
        var numbers = _numbers;
        if (Fits(value, depth) && StorableNumbers.All(value, ref _numbers, EventBody.Largest))
        {
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
            return;
        }
        _numbers = numbers;
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                Drop(path, "is a number out of range: kept as text");
                json.WriteStringValue(value.GetRawText());
                break;
            case JsonValueKind.Object or JsonValueKind.Array when depth == 0:
                Drop(path, $"is nested deeper than {MostDepth} levels");
                json.WriteNullValue();
                break;
            case JsonValueKind.Array:
                json.WriteStartArray();
                foreach (var (i, item) in value.EnumerateArray().Index()) WriteValue(json, item, depth - 1, Below(path, i.ToString(CultureInfo.InvariantCulture)));
                json.WriteEndArray();
                break;
            default:
                json.WriteStartObject();
                foreach (var member in value.EnumerateObject())
                {
                    json.WritePropertyName(member.Name);
                    WriteValue(json, member.Value, depth - 1, Below(path, member.Name));
                }
                json.WriteEndObject();
                break;
        }
    }

    private static string Below(string path, string name) => path.Length < LongestPath ? SentryText.Cut($"{path}.{name}", LongestPath) : path;

    private static bool Fits(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.Array => depth > 0 && value.EnumerateArray().All(item => Fits(item, depth - 1)),
        JsonValueKind.Object => depth > 0 && value.EnumerateObject().All(member => Fits(member.Value, depth - 1)),
        _ => true,
    };
}
