using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Http;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Sentry;

/// <summary>
/// Makes an error of an SDK's event (https://develop.sentry.dev/sdk/data-model/event-payloads/). Pure and lenient: a member that cannot be kept as it is gets dropped
/// or changed and is named in <c>context.dropped</c>; the event is kept. Exceptions with their frames, and threads, become <c>stack</c>; all that has no place of
/// its own becomes <c>context</c>.
/// </summary>
internal sealed class SentryEvent
{
    /// <summary>Readers of an answer stop at 64 levels, and some are the log's and the answer's own.</summary>
    private const int MostDepth = 50, MostNotes = 50, LongestPath = 200;

    /// <summary>A document costs its size times its depth to read.</summary>
    private const int DeepestRead = 100;

    private const string NoMessage = "(no message)";

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DeepestRead };

    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true, MaxDepth = DeepestRead * 2 };

    /// <summary>Those whose content has a place of its own, and the names that older SDKs gave them.</summary>
    private static readonly string[]
        Exceptions = ["exception", "sentry.interfaces.Exception"], Messages = ["logentry", "sentry.interfaces.Message", "message"], Stacktraces = ["stacktrace", "sentry.interfaces.Stacktrace"],
        Placed = [.. Exceptions, .. Stacktraces, "threads", "tags", "event_id", "dropped", "undated"];

    private readonly JsonElement _event;
    private readonly Dictionary<string, string> _dropped = [];
    private readonly HashSet<string> _used = [.. Placed];
    private long _numbers;

    private SentryEvent(JsonElement sent) => _event = sent;

    /// <summary>Escapes that the log cannot hold are replaced in the payload's bytes.</summary>
    /// <param name="payload">An event in JSON; the bare tokens NaN and Infinity are taken for text, and what is no UTF-8 is replaced.</param>
    /// <param name="headerId">The event_id of the envelope's header, which goes before the event's own.</param>
    /// <param name="receivedAt">The time of an event without one.</param>
    /// <returns>The error, with an id if its sender gave one, and its type if it is no error; or null if it is no JSON object.</returns>
    public static (IncomingEvent? Incoming, string? OtherType) Parse(Memory<byte> payload, string? headerId, DateTimeOffset receivedAt)
    {
        if (!Utf8.IsValid(payload.Span)) payload = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(payload.Span));
        if (payload.Span.StartsWith(EventBody.ByteOrderMark)) payload = payload[EventBody.ByteOrderMark.Length..];
        StorableText.Repair(payload.Span);
        using var document = Read(payload) ?? Read(JsonRepair.Prune(JsonRepair.Quote(payload.Span), DeepestRead));
        if (document is not { RootElement: { ValueKind: JsonValueKind.Object } sent }) return (null, null);
        if (sent.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && Unkept.CategoriesOf(type.GetString()!).Length > 0) return (null, type.GetString());
        return (new SentryEvent(sent).ToError(headerId, receivedAt), null);
    }

    /// <summary>An id as SDKs write it: 32 hexadecimal digits, with dashes or without.</summary>
    public static Guid? ParseId(string? text) => text is { Length: 32 or 36 } && text.All(c => char.IsAsciiHexDigit(c) || c == '-') && Guid.TryParse(text, out var id) ? id : null;

    private static JsonDocument? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            return JsonDocument.Parse(json, Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private IncomingEvent ToError(string? headerId, DateTimeOffset receivedAt)
    {
        var id = ParseId(headerId) ?? ParseId(Find("event_id") is { ValueKind: JsonValueKind.String } own ? own.GetString() : null);
        var (at, level, exceptions) = (Time(), Level(), ListOf(Find(Exceptions), "exception"));
        var message = Message(exceptions);
        var (stack, tags) = (Stack(exceptions), Tags());
        var context = Context(id, isDated: at is not null);
        return new(new ErrorOccurred(at ?? receivedAt, level, message, stack, tags, context), id);
    }

    private JsonElement? Find(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (_event.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null) return value;
        return null;
    }

    private void Drop(string path, string why)
    {
        if (_dropped.Count < MostNotes) _dropped.TryAdd(MessageText.Cut(path, LongestPath), why);
    }

    /// <summary>RFC 3339, the same without an offset, or seconds since 1970; null if there is none.</summary>
    private DateTimeOffset? Time()
    {
        _used.Add("timestamp");
        if (Find("timestamp") is not { } value) return null;
        var text = TextOf(value);
        if (Instant.TryParse(text, out var instant)) return instant;
        if (decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds) && Math.Abs(seconds) < 1e12m
            && DateTimeOffset.UnixEpoch.Ticks + (seconds * TimeSpan.TicksPerSecond) is var ticks && ticks >= 0 && ticks <= DateTimeOffset.MaxValue.Ticks)
            return Instant.Truncate(new((long)ticks, TimeSpan.Zero));
        Drop("timestamp", "is no time: received_at took its place");
        return null;
    }

    /// <summary>Names and their aliases, and the numbers of Python's logging; ERROR if there is none.</summary>
    private string Level()
    {
        _used.Add("level");
        if (Find("level") is not { } value) return "ERROR";
        var text = TextOf(value).Trim();
        if (Levels.Parse(text) is { } level) return level;
        level = text.ToUpperInvariant() switch
        {
            "LOG" or "NOTICE" or "INFORMATION" or "20" => "INFO",
            "TRACE" or "VERBOSE" or "10" => "DEBUG",
            "30" => "WARNING",
            "ERR" or "40" => "ERROR",
            "50" => "CRITICAL",
            _ => null,
        };
        if (level is null) Drop("level", "is no level: taken for ERROR");
        return level ?? "ERROR";
    }

    /// <summary>The last exception is the one that was caught; those before it caused it. A text that is the whole message is not kept twice.</summary>
    private string Message(List<JsonElement> exceptions)
    {
        var full = exceptions.Count > 0 ? Title(exceptions[^1]) : null;
        foreach (var name in Messages)
            if (full is null && Find(name) is { } entry && (entry.ValueKind == JsonValueKind.Object ? Member(entry, "formatted") ?? Filled(entry) : TextOf(entry)) is { Length: > 0 } text)
            {
                full = text;
                if (entry.ValueKind == JsonValueKind.String && text.Length <= EventBody.LongestMessage) _used.Add(name);
            }
        full ??= new[] { "transaction", "culprit" }.Select(name => Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null).FirstOrDefault(text => text?.Length > 0) ?? NoMessage;
        var message = MessageText.Cut(full, EventBody.LongestMessage);
        if (message.Length < full.Length) Drop("message", $"has more than {EventBody.LongestMessage.ToString("N0", CultureInfo.InvariantCulture)} characters: cut");
        return message;
    }

    private static string? Filled(JsonElement entry) =>
        Member(entry, "message") is { } template && entry.TryGetProperty("params", out var parameters) ? MessageText.Fill(template, parameters, EventBody.LongestMessage) : Member(entry, "message");

    private static string? Title(JsonElement exception) => (Member(exception, "type"), Member(exception, "value")) switch
    {
        ({ } type, { } value) => $"{type}: {value}",
        var (type, value) => type ?? value,
    };

    /// <summary>A member's text; null if it is absent or empty.</summary>
    private static string? Member(JsonElement value, string name) => value.TryGetProperty(name, out var member) && TextOf(member) is { Length: > 0 } text ? text : null;

    /// <summary>Text as it is, and what is no text as JSON writes it.</summary>
    internal static string TextOf(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    /// <summary>The objects of <c>{"values":[…]}</c>, of a list, or the one.</summary>
    private List<JsonElement> ListOf(JsonElement? sent, string name)
    {
        if (sent is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("values", out var values)) value = values;
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (items.Any(item => item.ValueKind is not JsonValueKind.Object and not JsonValueKind.Null)) Drop(name, "holds what is no object");
        return [.. items.Where(item => item.ValueKind == JsonValueKind.Object)];
    }

    /// <summary>Frames are lifted out of their stacktrace; what else it holds stays in it.</summary>
    private RawJson? Stack(List<JsonElement> exceptions)
    {
        var (threads, stacktrace) = (ListOf(Find("threads"), "threads"), Find(Stacktraces));
        if (exceptions.Count == 0 && threads.Count == 0 && stacktrace is null) return null;
        return Write(stack =>
        {
            foreach (var (name, items) in new[] { ("exceptions", exceptions), ("threads", threads) })
            {
                if (items.Count == 0) continue;
                stack.WriteStartArray(name);
                for (var i = 0; i < items.Count; i++)
                {
                    stack.WriteStartObject();
                    foreach (var member in items[i].EnumerateObject())
                        if (member.NameEquals("stacktrace") && member.Value.ValueKind == JsonValueKind.Object) WriteTrace(stack, member.Value, $"{name}.{i}.stacktrace");
                        else WriteMember(stack, member, $"{name}.{i}");
                    stack.WriteEndObject();
                }
                stack.WriteEndArray();
            }
            if (stacktrace is { ValueKind: JsonValueKind.Object } trace) WriteTrace(stack, trace, "stacktrace");
            else if (stacktrace is not null) Drop("stacktrace", "is no object");
        });
    }

    private void WriteTrace(Utf8JsonWriter stack, JsonElement trace, string path)
    {
        foreach (var member in trace.EnumerateObject().Where(member => member.NameEquals("frames"))) WriteMember(stack, member, path);
        var others = trace.EnumerateObject().Where(member => !member.NameEquals("frames") && member.Value.ValueKind != JsonValueKind.Null).ToList();
        if (others.Count == 0) return;
        stack.WriteStartObject("stacktrace");
        foreach (var member in others) WriteMember(stack, member, path);
        stack.WriteEndObject();
    }

    /// <summary>An object, or a list of pairs, each a list of two or an object of key and value. All values become text.</summary>
    private RawJson? Tags()
    {
        if (Find("tags") is not { } sent) return null;
        var tags = new Dictionary<string, string>();
        foreach (var (name, value) in PairsOf(sent))
            if (value.ValueKind == JsonValueKind.Null) continue;
            else if (tags.Count < EventBody.MostTags || tags.ContainsKey(name)) tags[name] = TextOf(value);
            else Drop($"tags.{name}", $"there are {EventBody.MostTags} others");
        return tags.Count == 0 ? null : Write(json =>
        {
            foreach (var (name, value) in tags) json.WriteString(name, value);
        });
    }

    private IEnumerable<(string Name, JsonElement Value)> PairsOf(JsonElement tags)
    {
        if (tags.ValueKind == JsonValueKind.Object) return tags.EnumerateObject().Select(member => (member.Name, member.Value));
        if (tags.ValueKind != JsonValueKind.Array)
        {
            Drop("tags", "must be an object or a list of pairs");
            return [];
        }
        var pairs = tags.EnumerateArray().Select(PairOf).ToList();
        if (pairs.Contains(null)) Drop("tags", "holds what is no pair");
        return pairs.OfType<(string, JsonElement)>();
    }

    private static (string, JsonElement)? PairOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 && item[0].ValueKind == JsonValueKind.String ? (item[0].GetString()!, item[1])
        : item.ValueKind == JsonValueKind.Object && item.TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String && item.TryGetProperty("value", out var value) ? (key.GetString()!, value)
        : null;

    private RawJson Context(Guid? id, bool isDated) => Write(context =>
    {
        if (id is { } known) context.WriteString("event_id", known.ToString("N"));
        foreach (var member in _event.EnumerateObject())
            if (!_used.Contains(member.Name) && member.Value.ValueKind != JsonValueKind.Null) WriteMember(context, member, "");
        if (!isDated) context.WriteBoolean("undated", true);
        if (_dropped.Count == 0) return;
        context.WriteStartObject("dropped");
        foreach (var (path, why) in _dropped) context.WriteString(path, why);
        context.WriteEndObject();
    });

    private static RawJson Write(Action<Utf8JsonWriter> members)
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

    private void WriteMember(Utf8JsonWriter json, JsonProperty member, string path)
    {
        json.WritePropertyName(member.Name);
        WriteValue(json, member.Value, MostDepth, path.Length == 0 ? member.Name : Below(path, member.Name));
    }

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

    private static string Below(string path, string name) => path.Length < LongestPath ? MessageText.Cut($"{path}.{name}", LongestPath) : path;

    private static bool Fits(JsonElement value, int depth) => value.ValueKind switch
    {
        JsonValueKind.Array => depth > 0 && value.EnumerateArray().All(item => Fits(item, depth - 1)),
        JsonValueKind.Object => depth > 0 && value.EnumerateObject().All(member => Fits(member.Value, depth - 1)),
        _ => true,
    };
}
