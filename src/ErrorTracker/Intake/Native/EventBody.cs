using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// Reads an event from its JSON body: either an event that the log can store, or an error for each wrong field. Pure.
/// Only what makes an event unusable is an error; <see cref="EventLimits"/> tells what becomes of the rest.
/// </summary>
internal static class EventBody
{
    /// <summary>The log can store a body of this depth as it is; a deeper one is <see cref="KeptEvent"/>'s.</summary>
    private static readonly JsonDocumentOptions Flat = new() { MaxDepth = 51 };

    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 64 };

    /// <summary>
    /// Replaces escapes that JSONB cannot store in the body's own bytes. The event refers to parts of these bytes: it
    /// is to be stored before they are used again.
    /// </summary>
    /// <returns>Null if there are errors.</returns>
    public static IncomingEvent? Parse(Memory<byte> body, Dictionary<string, string[]> errors)
    {
        if (body.Span.StartsWith(JsonText.ByteOrderMark)) body = body[JsonText.ByteOrderMark.Length..];
        if (!Utf8.IsValid(body.Span))
        {
            errors["body"] = ["must be UTF-8"];
            return null;
        }
        StorableText.Repair(body.Span);
        try
        {
            using var flat = ReadFlat(body);
            if (flat is not null) return Parse(flat.RootElement, body, isFlat: true, errors);
            using var deep = JsonDocument.Parse(body, Deep);
            return Parse(deep.RootElement, body, isFlat: false, errors);
        }
        catch (JsonException e)
        {
            var place = $"line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
            errors["body"] = [$"is not valid JSON, or nested deeper than 64 levels ({place})"];
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

    private static IncomingEvent? Parse(
        JsonElement body, Memory<byte> bytes, bool isFlat, Dictionary<string, string[]> errors)
    {
        if (body.ValueKind != JsonValueKind.Object)
        {
            errors["body"] = ["must be a JSON object"];
            return null;
        }
        var sent = SentMembers.Of(body);
        var occurredAt = Time(sent.OccurredAt, errors);
        var level = Level(sent.Level, errors);
        var message = Text(sent.Message, "message", errors);
        if (message is "") errors["message"] = ["must not be empty"];
        if (sent.Stack.ValueKind is JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False)
            errors["stack"] = ["must be a JSON object, or text"];
        if (sent.Tags.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
            errors["tags"] = ["must be a JSON object"];
        var eventId = Id(sent.EventId, errors);
        if (errors.Count > 0) return null;

        var error = isFlat && IsPlain(sent, message!)
            ? new ErrorOccurred(
                occurredAt, level!, message!, Raw(sent.Stack, bytes), Raw(sent.Tags, bytes), Raw(sent.Context, bytes))
            : new KeptEvent(sent).ToError(occurredAt, level!, message!);
        return new(error, eventId);
    }

    /// <summary>Whether all of it can be stored as it was sent, as parts of the body: most events can.</summary>
    private static bool IsPlain(in SentMembers sent, string message)
    {
        if (sent.Others is not null) return false;
        if (sent.Fingerprint.ValueKind != JsonValueKind.Undefined) return false;
        if (CodePoints.IsLonger(message, EventLimits.LongestMessage)) return false;
        if (sent.Stack.ValueKind == JsonValueKind.Array) return false;
        var tags = sent.Tags.ValueKind == JsonValueKind.Object ? sent.Tags.GetPropertyCount() : 0;
        if (tags > EventLimits.MostTags) return false;
        if (sent.Context.ValueKind != JsonValueKind.Undefined && !KeptEvent.IsContext(sent.Context)) return false;
        var size = 0L;
        return StorableNumbers.All(sent.Stack, ref size, EventLimits.Largest)
            && StorableNumbers.All(sent.Tags, ref size, EventLimits.Largest)
            && StorableNumbers.All(sent.Context, ref size, EventLimits.Largest);
    }

    private static DateTimeOffset Time(JsonElement value, Dictionary<string, string[]> errors)
    {
        if (Text(value, "occurred_at", errors) is not { } text) return default;
        if (!Instant.TryParse(text, out var time)) errors["occurred_at"] = [Instant.Expected];
        return time;
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
        if (value.ValueKind == JsonValueKind.String && EventIds.Parse(value.GetString()!) is { } id) return id;
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
