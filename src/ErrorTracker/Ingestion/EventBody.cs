using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Http;

namespace ErrorTracker.Ingestion;

/// <param name="EventId">Its sender's name for it, for safe retries.</param>
internal sealed record IncomingEvent(ErrorOccurred Error, Guid? EventId);

/// <summary>Reads an event from its JSON body. Pure: either an event that the log can store, or an error for each wrong field.</summary>
internal static class EventBody
{
    public const int LongestMessage = 8192, MostTags = 64, Largest = 1024 * 1024;

    public static ReadOnlySpan<byte> ByteOrderMark => "\ufeff"u8;

    public const string Conflicting = "This event_id was sent before with other content.";

    public const string Example =
        """
        {
          "event_id": "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10",
          "occurred_at": "2026-01-31T12:34:56.789Z",
          "level": "ERROR",
          "message": "Payment declined",
          "stack": {"type": "PaymentException", "frames": [{"file": "Checkout.cs", "line": 42}]},
          "tags": {"release": "1.4.2", "region": "eu"}
        }
        """;

    /// <summary>Escapes that JSONB cannot store are replaced in the body's bytes. The event has parts of them in it: it is to be stored, or its bytes kept.</summary>
    public static IncomingEvent? Parse(Memory<byte> body, Dictionary<string, string[]> errors)
    {
        if (body.Span.StartsWith(ByteOrderMark)) body = body[ByteOrderMark.Length..];
        if (!Utf8.IsValid(body.Span)) return Refuse("body", "must be UTF-8");
        StorableText.Repair(body.Span);
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Parse(document.RootElement, body, errors)
                : Refuse("body", "must be a JSON object");
        }
        catch (JsonException e)
        {
            return Refuse("body", $"is not valid JSON, or nested deeper than 64 levels (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }

        IncomingEvent? Refuse(string field, string error)
        {
            errors[field] = [error];
            return null;
        }
    }

    private static IncomingEvent? Parse(JsonElement body, Memory<byte> bytes, Dictionary<string, string[]> errors)
    {
        DateTimeOffset occurredAt = default;
        if (Text(body, "occurred_at", errors) is { } time && !Instant.TryParse(time, out occurredAt))
            errors["occurred_at"] = [Instant.Expected];

        var level = Text(body, "level", errors) is { } name ? Levels.Parse(name) : null;
        if (level is null) errors.TryAdd("level", [Levels.Expected]);

        var message = Text(body, "message", errors);
        if (message is { Length: 0 or > LongestMessage } && (message.Length is 0 or > 2 * LongestMessage || message.EnumerateRunes().Count() > LongestMessage)) errors["message"] = [$"must have 1 to {LongestMessage.ToString("N0", CultureInfo.InvariantCulture)} characters"];

        var size = 0L;
        var stack = Object(body, "stack", ref size, errors);
        var tags = Object(body, "tags", ref size, errors);
        if (tags is { } t && t.GetPropertyCount() > MostTags) errors["tags"] = [$"must not have more than {MostTags} members"];

        var eventId = Id(body, errors);
        return errors.Count > 0 ? null : new(new ErrorOccurred(occurredAt, level!, message!, Raw(stack, bytes), Raw(tags, bytes)), eventId);
    }

    private static string? Text(JsonElement body, string field, Dictionary<string, string[]> errors)
    {
        if (body.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String) return value.GetString();
        errors[field] = [value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? "is required" : "must be a string"];
        return null;
    }

    private static Guid? Id(JsonElement body, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty("event_id", out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: 32 or 36 } text && text.All(c => char.IsAsciiHexDigit(c) || c == '-') && Guid.TryParse(text, out var id)) return id; // .NET takes blanks, signs and 0x for digits
        errors["event_id"] = ["must be a UUID"];
        return null;
    }

    private static JsonElement? Object(JsonElement body, string field, ref long size, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Object && StorableNumbers.All(value, ref size, Largest)) return value;
        errors[field] = [value.ValueKind == JsonValueKind.Object ? StorableNumbers.Expected : "must be a JSON object"];
        return null;
    }

    private static RawJson? Raw(JsonElement? value, Memory<byte> body)
    {
        if (value is not { } json) return null;
        var raw = JsonMarshal.GetRawUtf8Value(json);
        body.Span.Overlaps(raw, out var at);
        return new RawJson(body.Slice(at, raw.Length));
    }
}
