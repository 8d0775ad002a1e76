using System.Collections.Frozen;
using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// Makes an error of an SDK's event (https://develop.sentry.dev/sdk/data-model/event-payloads/). Pure and lenient: the
/// event is kept although a member cannot be kept as it is; that one is changed or dropped, and named in
/// <c>context.dropped</c>. Exceptions with their frames, and threads, become <c>stack</c>; all that has no place of its
/// own becomes <c>context</c>.
/// </summary>
internal sealed class SentryEvent
{
    /// <summary>
    /// 50 levels are kept, some below the event's own. A document costs its size times its depth to read, so no more
    /// are read.
    /// </summary>
    internal const int DeepestRead = 60;

    internal const string NoMessage = "(no message)";

    /// <summary>A number of seconds since 1970 has at most so many characters, and is at most so large.</summary>
    private const int LongestTime = 64;

    private const decimal MostSeconds = 1e12m;

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = DeepestRead };

    /// <summary>Members whose content has a place of its own, and the names that older SDKs gave them.</summary>
    private static readonly string[]
        Exceptions = ["exception", "sentry.interfaces.Exception"],
        Messages = ["logentry", "sentry.interfaces.Message", "message"],
        Stacktraces = ["stacktrace", "sentry.interfaces.Stacktrace"],
        Placed = [.. Exceptions, .. Stacktraces, "threads", "tags", "event_id", "dropped", "undated"];

    /// <summary>Members that are looked for by name.</summary>
    private static readonly FrozenSet<string> Known =
        [.. Placed, .. Messages, "timestamp", "level", "transaction", "culprit", "platform", "user", "sdk"];

    private readonly JsonElement _event;
    private readonly Dictionary<string, JsonElement> _known = [];
    private readonly KeptJson _kept = new();
    private readonly HashSet<string> _used = [.. Placed];

    private SentryEvent(JsonElement sent)
    {
        _event = sent;
        foreach (var member in sent.EnumerateObject())
            if (Known.Contains(member.Name)) _known[member.Name] = member.Value;
    }

    /// <summary>Escapes that the log cannot hold are replaced in the payload's bytes.</summary>
    /// <param name="payload">
    /// An event in JSON; the bare tokens NaN and Infinity are taken for text, and what is no UTF-8 is replaced.
    /// </param>
    /// <param name="headerId">The event_id of the envelope's header, which goes before the event's own.</param>
    /// <param name="receivedAt">The time of an event without one.</param>
    /// <param name="address">The IP address that the event came from; null if nobody knows.</param>
    /// <returns>The error; or the type of an event that is no error; or neither, if it is no JSON object.</returns>
    public static (IncomingEvent? Incoming, string? OtherType) Parse(
        Memory<byte> payload, string? headerId, DateTimeOffset receivedAt, string? address = null)
    {
        if (!Utf8.IsValid(payload.Span)) payload = StorableText.ToUtf8(payload.Span);
        if (payload.Span.StartsWith(JsonText.ByteOrderMark)) payload = payload[JsonText.ByteOrderMark.Length..];
        StorableText.Repair(payload.Span);
        using var document = Read(payload) ?? Read(JsonRepair.Prune(JsonRepair.Quote(payload.Span), DeepestRead));
        if (document is not { RootElement: { ValueKind: JsonValueKind.Object } sent }) return (null, null);
        return OtherTypeOf(sent) is { } otherType
            ? (null, otherType)
            : (new SentryEvent(sent).ToError(headerId, receivedAt, address), null);
    }

    /// <summary>The type of an event that is no error, such as a transaction; null for errors.</summary>
    private static string? OtherTypeOf(JsonElement sent)
    {
        if (!sent.TryGetProperty("type", out var type) || type.ValueKind != JsonValueKind.String) return null;
        var name = type.GetString()!;
        return Unkept.CategoriesOf(name).Length > 0 ? name : null;
    }

    /// <summary>An id as SDKs write it; null for all else.</summary>
    public static Guid? ParseId(string? text) => text is null ? null : EventIds.Parse(text);

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

    private IncomingEvent ToError(string? headerId, DateTimeOffset receivedAt, string? address)
    {
        var ownId = Find("event_id") is { ValueKind: JsonValueKind.String } own ? own.GetString() : null;
        var id = ParseId(headerId) ?? ParseId(ownId);
        var at = Time();
        var level = Level();
        var exceptions = SentryStack.ListOf(Find(Exceptions), "exception", _kept);
        var threads = SentryStack.ListOf(Find("threads"), "threads", _kept);
        var message = Message(exceptions, threads, level);
        var stack = SentryStack.Of(exceptions, threads, Find(Stacktraces), _kept);
        var tags = new SentryTags(Find("tags"), _kept);
        var context = Context(id, isDated: at is not null, tags, new(Find("sdk"), address));
        var error = new ErrorOccurred(at ?? receivedAt, level, message, stack, tags.Kept, context);
        return new(error, id, IsUndated: at is null);
    }

    private JsonElement? Find(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (_known.TryGetValue(name, out var value) && value.ValueKind != JsonValueKind.Null) return value;
        return null;
    }

    /// <summary>The time: RFC 3339, the same without an offset, or seconds since 1970. Null if there is none.</summary>
    private DateTimeOffset? Time()
    {
        _used.Add("timestamp");
        if (Find("timestamp") is not { } value) return null;
        var text = JsonText.Of(value);
        if (Instant.TryParse(text, out var instant)) return instant;
        if (OfSeconds(text) is { } time) return time;
        _kept.Drop("timestamp", "is no time: received_at took its place");
        return null;
    }

    /// <summary>The time so many seconds after the beginning of 1970; null for what is no such number.</summary>
    private static DateTimeOffset? OfSeconds(string text)
    {
        if (text.Length > LongestTime) return null;
        if (!decimal.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds)) return null;
        if (Math.Abs(seconds) >= MostSeconds) return null;
        var ticks = DateTimeOffset.UnixEpoch.Ticks + seconds * TimeSpan.TicksPerSecond;
        if (ticks < 0 || ticks > DateTimeOffset.MaxValue.Ticks) return null;
        return Instant.Truncate(new((long)ticks, TimeSpan.Zero));
    }

    /// <summary>The level, as all endpoints understand it; ERROR if there is none.</summary>
    private string Level()
    {
        _used.Add("level");
        if (Find("level") is not { } value) return "ERROR";
        if (Levels.Parse(JsonText.Of(value).AsSpan().Trim()) is { } level) return level;
        _kept.Drop("level", "is no level: taken for ERROR");
        return "ERROR";
    }

    /// <summary>
    /// The message is the first of these that is there: what was caught, what is said, the text that stands for an
    /// exception, where it was.
    /// </summary>
    private string Message(List<JsonElement> exceptions, List<JsonElement> threads, string level)
    {
        var full = ExceptionTitle.Of(exceptions)
            ?? Said()
            ?? SentryStack.TextOf(exceptions)
            ?? StackPlace.Of(exceptions, Find(Stacktraces), threads)
            ?? Text("transaction")
            ?? Text("culprit")
            ?? Untold(level);
        var message = CodePoints.Truncate(full, EventLimits.LongestMessage);
        if (message.Length < full.Length) _kept.Drop("message", EventLimits.LongMessage);
        return message;
    }

    /// <summary>Native code may crash without a word, with nothing but addresses.</summary>
    private string Untold(string level) =>
        level == "CRITICAL" && Text("platform") is "native" or "cocoa" ? NativeCrash.Title : NoMessage;

    /// <summary>
    /// What the sender wrote as the message. A text that becomes the whole message is not kept twice; one of blanks
    /// only says nothing.
    /// </summary>
    private string? Said()
    {
        foreach (var name in Messages)
        {
            if (Find(name) is not { } entry) continue;
            var text = entry.ValueKind == JsonValueKind.Object
                ? JsonText.Member(entry, "formatted") ?? Filled(entry)
                : JsonText.Of(entry);
            if (string.IsNullOrWhiteSpace(text)) continue;
            var isWhole = entry.ValueKind == JsonValueKind.String && text.Length <= EventLimits.LongestMessage;
            if (isWhole) _used.Add(name);
            return text;
        }
        return null;
    }

    private string? Text(string name)
    {
        var text = Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;
        return text is "" ? null : text;
    }

    /// <summary>The message with its parameters in their places.</summary>
    private static string? Filled(JsonElement entry)
    {
        if (JsonText.Member(entry, "message") is not { } template) return null;
        return entry.TryGetProperty("params", out var parameters)
            ? MessageTemplate.Fill(template, parameters, 2 * EventLimits.LongestMessage)
            : template;
    }

    private RawJson Context(Guid? id, bool isDated, SentryTags tags, SenderAddress address) => KeptJson.Write(context =>
    {
        if (id is { } known) context.WriteString("event_id", known.ToString("N"));
        foreach (var member in _event.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Null || _used.Contains(member.Name)) continue;
            if (!address.TryWrite(context, member, _kept)) _kept.WriteMember(context, member, "");
        }
        if (Find("user") is null) address.WriteUser(context);
        tags.WriteOthers(context);
        if (!isDated) context.WriteBoolean("undated", true);
        _kept.WriteDropped(context);
    });
}
