using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// An event in JSON that is put together of parts: a part that comes later goes before the others, member by member.
/// </summary>
internal sealed class CrashTree
{
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = SentryEvent.DeepestRead / 2 };

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly Dictionary<string, object> _members = [];

    /// <summary>False if the text is no JSON object. Escapes that name no text are replaced.</summary>
    public bool TryMerge(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        StorableText.Repair(bytes);
        try
        {
            return Merge(JsonElement.Parse(bytes, Options));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>False if it is no object.</summary>
    public bool Merge(JsonElement part)
    {
        if (part.ValueKind != JsonValueKind.Object) return false;
        Merge(_members, part);
        return true;
    }

    public void Set(ReadOnlySpan<string> path, string value)
    {
        var at = _members;
        for (; path.Length > 1; path = path[1..])
        {
            var inner = at.TryGetValue(path[0], out var known) ? Open(known) : null;
            at[path[0]] = inner ??= [];
            at = inner;
        }
        at[path[0]] = value;
    }

    public void Set(string name, IEnumerable<JsonElement> list) => _members[name] = list;

    /// <summary>In UTF-8. The type is left out: it is a crash, whatever its parts say.</summary>
    public byte[] ToJson()
    {
        _members.Remove("type");
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, Plain)) Write(json, _members);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Merge(Dictionary<string, object> into, JsonElement part)
    {
        foreach (var member in part.EnumerateObject())
        {
            var isObject = member.Value.ValueKind == JsonValueKind.Object;
            var inner = isObject && into.TryGetValue(member.Name, out var known) ? Open(known) : null;
            into[member.Name] = inner is null ? member.Value : inner;
            if (inner is not null) Merge(inner, member.Value);
        }
    }

    /// <summary>The members of an object; null if it is none.</summary>
    private static Dictionary<string, object>? Open(object node)
    {
        if (node is not JsonElement { ValueKind: JsonValueKind.Object } part) return node as Dictionary<string, object>;
        var members = new Dictionary<string, object>();
        Merge(members, part);
        return members;
    }

    private static void Write(Utf8JsonWriter json, object node)
    {
        switch (node)
        {
            case string text:
                json.WriteStringValue(text);
                break;
            case JsonElement part:
                part.WriteTo(json);
                break;
            case IEnumerable<JsonElement> list:
                json.WriteStartArray();
                foreach (var item in list) item.WriteTo(json);
                json.WriteEndArray();
                break;
            case Dictionary<string, object> members:
                json.WriteStartObject();
                foreach (var (name, value) in members)
                {
                    json.WritePropertyName(name);
                    Write(json, value);
                }
                json.WriteEndObject();
                break;
        }
    }
}
