using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// Reads an event from its JSON body. Pure: either an event that the log can store, or an error for each wrong field.
/// Only what makes an event unusable is an error; what is too long or too many is kept in another place, or cut, and
/// named in <c>context.dropped</c>.
/// </summary>
internal static class EventBody
{
    public const int LongestMessage = 8192, MostTags = 64, Largest = 1024 * 1024;

    /// <summary>What <c>context.dropped</c> says of them.</summary>
    public const string
        LongMessage = "has more than 8,192 characters: cut", TooManyTags = "has more than 64 members: the others are in context.tags",
        NameTaken = "is a name that something else has in context";

    public const string Conflicting = "This event_id was sent before with other content.";

    /// <summary>A body within these limits holds nothing that is nested too deep for <see cref="KeptEvent"/>.</summary>
    private static readonly JsonDocumentOptions Flat = new() { MaxDepth = 51 }, Deep = new() { MaxDepth = 64 };

    public static ReadOnlySpan<byte> ByteOrderMark => "\ufeff"u8;

    public const string Example =
        """
        {
          "event_id": "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10",
          "occurred_at": "2026-01-31T12:34:56.789Z",
          "level": "ERROR",
          "message": "Payment declined",
          "stack": {"type": "PaymentException", "frames": [{"file": "Checkout.cs", "line": 42}]},
          "tags": {"release": "1.4.2", "region": "eu"},
          "context": {"order": {"id": 7, "total": "12.50"}},
          "fingerprint": ["payment-declined"],
          "environment": "production"
        }
        """;

    /// <summary>Escapes that JSONB cannot store are replaced in the body's bytes. The event has parts of them in it: it is to be stored, or its bytes kept.</summary>
    public static IncomingEvent? Parse(Memory<byte> body, Dictionary<string, string[]> errors)
    {
        if (body.Span.StartsWith(ByteOrderMark)) body = body[ByteOrderMark.Length..];
        if (!Utf8.IsValid(body.Span)) return Refuse("must be UTF-8");
        StorableText.Repair(body.Span);
        try
        {
            using var document = ReadFlat(body);
            if (document is not null) return Parse(document.RootElement, body, isFlat: true, errors);
            using var deep = JsonDocument.Parse(body, Deep);
            return Parse(deep.RootElement, body, isFlat: false, errors);
        }
        catch (JsonException e)
        {
            return Refuse($"is not valid JSON, or nested deeper than 64 levels (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }

        IncomingEvent? Refuse(string error)
        {
            errors["body"] = [error];
            return null;
        }
    }

    /// <summary>Null if it is nested deeper, or no JSON.</summary>
    private static JsonDocument? ReadFlat(Memory<byte> body)
    {
        try
        {
            return JsonDocument.Parse(body, Flat);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static IncomingEvent? Parse(JsonElement body, Memory<byte> bytes, bool isFlat, Dictionary<string, string[]> errors)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            errors["body"] = ["must be a JSON object"];
            return null;
        }
        var sent = SentMembers.Of(body);
        DateTimeOffset occurredAt = default;
        if (Text(sent.OccurredAt, "occurred_at", errors) is { } time && !Instant.TryParse(time, out occurredAt))
            errors["occurred_at"] = [Instant.Expected];
        var level = Level(sent.Level, errors);
        var message = Text(sent.Message, "message", errors);
        if (message is "") errors["message"] = ["must not be empty"];
        if (sent.Stack.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            errors["stack"] = ["must be a JSON object, or text"];
        if (sent.Tags.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined)) errors["tags"] = ["must be a JSON object"];
        var eventId = Id(sent.EventId, errors);
        if (errors.Count > 0) return null;

        var error = isFlat && IsPlain(sent, message!)
            ? new ErrorOccurred(occurredAt, level!, message!, Raw(sent.Stack, bytes), Raw(sent.Tags, bytes), Raw(sent.Context, bytes))
            : new KeptEvent(sent).ToError(occurredAt, level!, message!);
        return new(error, eventId);
    }

    /// <summary>All of it can be stored as it was sent, as parts of the body: so are most events.</summary>
    private static bool IsPlain(in SentMembers sent, string message)
    {
        if (sent.Others is not null || sent.Fingerprint.ValueKind != JsonValueKind.Undefined || KeptEvent.IsTooLong(message)) return false;
        if (sent.Stack.ValueKind == JsonValueKind.Array) return false;
        if (sent.Tags.ValueKind == JsonValueKind.Object && sent.Tags.GetPropertyCount() > MostTags) return false;
        if (sent.Context.ValueKind != JsonValueKind.Undefined && !KeptEvent.IsContext(sent.Context)) return false;
        var size = 0L;
        return StorableNumbers.All(sent.Stack, ref size, Largest)
            && StorableNumbers.All(sent.Tags, ref size, Largest)
            && StorableNumbers.All(sent.Context, ref size, Largest);
    }

    private static string? Text(JsonElement value, string field, Dictionary<string, string[]> errors)
    {
        if (value.ValueKind == JsonValueKind.String) return value.GetString();
        errors[field] = [value.ValueKind == JsonValueKind.Undefined ? "is required" : "must be a string"];
        return null;
    }

    private static string? Level(JsonElement value, Dictionary<string, string[]> errors)
    {
        if (Levels.Parse(value) is { } level) return level;
        errors["level"] = [value.ValueKind == JsonValueKind.Undefined ? "is required" : Levels.Expected];
        return null;
    }

    private static Guid? Id(JsonElement value, Dictionary<string, string[]> errors)
    {
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: 32 or 36 } text
            && text.All(c => char.IsAsciiHexDigit(c) || c == '-') // .NET takes blanks, signs and 0x for digits
            && Guid.TryParse(text, out var id)) return id;
        errors["event_id"] = ["must be a UUID"];
        return null;
    }

    private static RawJson? Raw(JsonElement value, Memory<byte> body)
    {
        if (value.ValueKind == JsonValueKind.Undefined) return null;
        var raw = JsonMarshal.GetRawUtf8Value(value);
        body.Span.Overlaps(raw, out var at);
        return new RawJson(body.Slice(at, raw.Length));
    }
}
