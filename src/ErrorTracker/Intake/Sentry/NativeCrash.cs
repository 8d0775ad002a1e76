using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using ErrorTracker.Commit;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The memory of a process that crashed. It is never held: it is known by what its headers say and by its size.
/// </summary>
/// <param name="Kind">Such as minidump.</param>
/// <param name="FileName">As it was sent, or its beginning; null if it has none.</param>
/// <param name="Bytes">As it arrived, inflated.</param>
internal sealed record CrashDump(string Kind, string? FileName, long Bytes)
{
    public const string Minidump = "minidump", UnrealReport = "unreal_report";

    private const int LongestName = 100;

    /// <summary>By the <c>attachment_type</c> that Sentry's SDKs give them.</summary>
    private static readonly Dictionary<string, string> Attachments = new()
    {
        ["event.minidump"] = Minidump,
        ["event.applecrashreport"] = "apple_crash_report",
        ["playstation.prosperodump"] = "playstation_dump",
        ["nswitch.dying_message"] = "nintendo_switch_message",
    };

    /// <summary>Null if the item is no dump.</summary>
    public static CrashDump? Of(EnvelopePart item)
    {
        var kind = item.Type switch
        {
            Minidump or UnrealReport => item.Type,
            Unkept.Attachment => Attachments.GetValueOrDefault(item.Header.AttachmentType ?? ""),
            _ => null,
        };
        if (kind is null) return null;
        var name = item.Header.FileName is { } given ? CodePoints.Truncate(given, LongestName) : null;
        return new(kind, name, item.Size);
    }
}

/// <summary>Crashes of native code, which SDKs may tell of by a dump alone. Pure.</summary>
internal static class NativeCrash
{
    public const string Title = "Native crash";

    private const string Level = "CRITICAL";

    private static readonly JsonDocumentOptions Options = new() { MaxDepth = SentryEvent.DeepestRead };

    private const int MostNamed = 10, LongestName = 100;

    /// <summary>The event of a crash that has none of its own: always CRITICAL.</summary>
    /// <param name="known">
    /// What is known besides the dump: a JSON object as SDKs send events, which may lack any member.
    /// </param>
    /// <param name="headerId">Its event_id, if the sender gave one outside of the event.</param>
    /// <param name="dumps">At least one.</param>
    /// <param name="receivedAt">The time of the event if <paramref name="known"/> has none.</param>
    public static IncomingEvent Of(
        Memory<byte> known, string? headerId, IReadOnlyList<CrashDump> dumps, DateTimeOffset receivedAt)
    {
        var crash = SentryEvent.Parse(known, headerId, receivedAt).Incoming ?? Untold(headerId, receivedAt);
        return Name(crash with { Error = crash.Error with { Level = Level } }, dumps);
    }

    /// <summary>The same event with its dumps named in <c>context.dropped</c>, and a title if it has none.</summary>
    public static IncomingEvent Name(IncomingEvent crash, IReadOnlyList<CrashDump> dumps) => crash with
    {
        Error = crash.Error with
        {
            Message = crash.Error.Message == SentryEvent.NoMessage ? Title : crash.Error.Message,
            Context = WithDropped(crash.Error.Context, dumps),
        },
    };

    private static IncomingEvent Untold(string? headerId, DateTimeOffset receivedAt) =>
        new(new ErrorOccurred(receivedAt, Level, SentryEvent.NoMessage, null, null), SentryEvent.ParseId(headerId));

    private static RawJson WithDropped(RawJson? context, IReadOnlyList<CrashDump> dumps)
    {
        using var document = JsonDocument.Parse(context?.Utf8 ?? "{}"u8.ToArray(), Options);
        return KeptJson.Write(json =>
        {
            foreach (var member in document.RootElement.EnumerateObject())
                if (!member.NameEquals("dropped")) Copy(json, member);
            json.WriteStartObject("dropped");
            if (document.RootElement.TryGetProperty("dropped", out var dropped))
                foreach (var member in dropped.EnumerateObject()) Copy(json, member);
            foreach (var (i, dump) in dumps.Take(MostNamed).Index())
                json.WriteString(i == 0 ? dump.Kind : $"{dump.Kind}.{i}", Describe(dump));
            json.WriteEndObject();
        });
    }

    private static string Describe(CrashDump dump)
    {
        var name = dump.FileName is { Length: > 0 } given ? CodePoints.Truncate(given, LongestName) + ", " : "";
        return string.Create(CultureInfo.InvariantCulture, $"{name}{dump.Bytes} bytes: not kept");
    }

    private static void Copy(Utf8JsonWriter json, JsonProperty member)
    {
        json.WritePropertyName(member.Name);
        json.WriteRawValue(JsonMarshal.GetRawUtf8Value(member.Value), skipInputValidation: true);
    }
}
