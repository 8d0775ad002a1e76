using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Http;

namespace ErrorTracker.Ingestion;

/// <summary>Reads an event from its JSON body. Pure: either an <see cref="ErrorOccurred"/> that the log can store, or an error for each wrong field.</summary>
public static class EventBody
{
    public const int LongestMessage = 8192, MostTags = 64, Largest = 1024 * 1024;

    public const string Example =
        """
        {
          "occurred_at": "2026-01-31T12:34:56.789Z",
          "level": "ERROR",
          "message": "Payment declined",
          "stack": {"type": "PaymentException", "frames": [{"file": "Checkout.cs", "line": 42}]},
          "tags": {"release": "1.4.2", "region": "eu"}
        }
        """;

    /// <summary>Takes the body over: escapes that JSONB cannot store are replaced in it, and the event refers to its bytes.</summary>
    public static ErrorOccurred? Parse(Memory<byte> body, Dictionary<string, string[]> errors)
    {
        if (!Utf8.IsValid(body.Span)) return Refuse("body", "must be UTF-8");
        StorableText.Repair(body.Span);
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? Parse(document.RootElement, errors)
                : Refuse("body", "must be a JSON object");
        }
        catch (JsonException e)
        {
            return Refuse("body", $"is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1})");
        }

        ErrorOccurred? Refuse(string field, string error)
        {
            errors[field] = [error];
            return null;
        }
    }

    private static ErrorOccurred? Parse(JsonElement body, Dictionary<string, string[]> errors)
    {
        DateTimeOffset occurredAt = default;
        if (Text(body, "occurred_at", errors) is { } time && !Instant.TryParse(time, out occurredAt))
            errors["occurred_at"] = [Instant.Expected];

        var level = Text(body, "level", errors) is { } name ? Levels.Parse(name) : null;
        if (level is null) errors.TryAdd("level", [Levels.Expected]);

        var message = Text(body, "message", errors);
        if (message is { Length: 0 or > LongestMessage }) errors["message"] = [$"must have 1 to {LongestMessage.ToString("N0", CultureInfo.InvariantCulture)} characters"];

        var size = 0L;
        var stack = Object(body, "stack", ref size, errors);
        var tags = Object(body, "tags", ref size, errors);
        if (tags is { } t && t.EnumerateObject().Count() > MostTags) errors["tags"] = [$"must not have more than {MostTags} members"];

        return errors.Count > 0 ? null : new ErrorOccurred(occurredAt, level!, message!, Raw(stack), Raw(tags));
    }

    private static string? Text(JsonElement body, string field, Dictionary<string, string[]> errors)
    {
        if (body.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String) return value.GetString();
        errors[field] = [value.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null ? "is required" : "must be a string"];
        return null;
    }

    private static JsonElement? Object(JsonElement body, string field, ref long size, Dictionary<string, string[]> errors)
    {
        if (!body.TryGetProperty(field, out var value) || value.ValueKind == JsonValueKind.Null) return null;
        if (value.ValueKind == JsonValueKind.Object && StorableNumbers.All(value, ref size, Largest)) return value;
        errors[field] = [value.ValueKind == JsonValueKind.Object ? StorableNumbers.Expected : "must be a JSON object"];
        return null;
    }

    /// <summary>A copy: the parser's own view of the bytes ends with it.</summary>
    private static RawJson? Raw(JsonElement? value) =>
        value is { } json ? new RawJson(System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(json).ToArray()) : null;
}
