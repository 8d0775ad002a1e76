using System.Runtime.InteropServices;
using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// Makes an error of a native event that cannot be stored just as it was sent: members without a place of their own go
/// to <c>context</c> under their names, and what is cut or changed is named in <c>context.dropped</c>, as for SDKs.
/// Pure: the same event gives the same error.
/// </summary>
internal sealed class KeptEvent(SentMembers sent)
{
    private const int MostParts = 32, LongestPart = 1024;

    private const string Undated = "undated";

    private const string Message = "message", Tags = "tags", Fingerprint = "fingerprint", Context = "context";

    private const string NameTaken = "is a name that something else has in context";

    /// <summary>Names to which the log itself gives a meaning in context: a sender cannot use them.</summary>
    private static readonly string[] Reserved = [KeptJson.DroppedMember, Undated];

    private readonly KeptJson _kept = new();
    private readonly HashSet<string> _taken = [.. Reserved];
    private readonly List<JsonProperty> _otherTags = [];

    /// <summary>Whether a value can be an event's context as it is.</summary>
    public static bool IsContext(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && !Reserved.Any(name => value.TryGetProperty(name, out _));

    public ErrorOccurred ToError(DateTimeOffset occurredAt, string level, string message)
    {
        var stack = StackOf();
        var tags = TagsOf();
        var isLong = CodePoints.IsLonger(message, EventLimits.LongestMessage);
        if (isLong) _kept.Drop(Message, EventLimits.LongMessage);
        var context = KeptJson.Write(json => WriteContext(json, isLong));
        var isEmpty = context.Utf8.Length == "{}".Length;
        var cut = CodePoints.Truncate(message, EventLimits.LongestMessage);
        return new(occurredAt, level, cut, stack, tags, isEmpty ? null : context);
    }

    /// <summary>The stack as an object or text. A list is taken for the list of its frames.</summary>
    private RawJson? StackOf() => sent.Stack.ValueKind switch
    {
        JsonValueKind.Undefined => null,
        JsonValueKind.String => new(JsonMarshal.GetRawUtf8Value(sent.Stack).ToArray()),
        JsonValueKind.Array => KeptJson.Write(WriteFrames),
        _ => KeptJson.Write(json => WriteAll(json, sent.Stack.EnumerateObject(), "stack")),
    };

    private void WriteFrames(Utf8JsonWriter json)
    {
        json.WritePropertyName("frames");
        _kept.WriteValue(json, sent.Stack, "", "stack");
    }

    /// <summary>
    /// The tags with their values as they were sent. Those that are too many are kept for the context.
    /// </summary>
    private RawJson? TagsOf()
    {
        if (sent.Tags.ValueKind == JsonValueKind.Undefined) return null;
        var names = new HashSet<string>();
        var kept = new List<JsonProperty>();
        foreach (var tag in sent.Tags.EnumerateObject())
        {
            var name = tag.Name;
            if (names.Count < EventLimits.MostTags) names.Add(name);
            if (names.Contains(name)) kept.Add(tag);
            else _otherTags.Add(tag);
        }
        if (_otherTags.Count > 0) _kept.Drop(Tags, EventLimits.TooManyTags);
        return KeptJson.Write(json => WriteAll(json, kept, Tags));
    }

    /// <summary>
    /// Of members of the same name the first stays: what the log adds, then what the sender's context holds, then the
    /// members beside it.
    /// </summary>
    private void WriteContext(Utf8JsonWriter json, bool isLong)
    {
        if (isLong)
        {
            _taken.Add(Message);
            json.WritePropertyName(Message);
            json.WriteRawValue(JsonMarshal.GetRawUtf8Value(sent.Message), skipInputValidation: true);
        }
        WriteFingerprint(json);
        if (_otherTags.Count > 0)
        {
            _taken.Add(Tags);
            json.WriteStartObject(Tags);
            WriteAll(json, _otherTags, Tags);
            json.WriteEndObject();
        }
        WriteSentContext(json);
        WriteFree(json, sent.Others ?? [], "");
        _kept.WriteDropped(json);
    }

    /// <summary>Members of an object; any other value under the name <c>context</c>.</summary>
    private void WriteSentContext(Utf8JsonWriter json)
    {
        if (sent.Context.ValueKind == JsonValueKind.Undefined) return;
        if (sent.Context.ValueKind == JsonValueKind.Object)
        {
            var members = sent.Context.EnumerateObject();
            WriteFree(json, members, "context.");
            if (sent.Others is not null) _taken.UnionWith(members.Select(member => member.Name));
            return;
        }
        json.WritePropertyName(Context);
        _kept.WriteValue(json, sent.Context, "", Context);
    }

    /// <summary>A fingerprint is a list; one that is sent as a single value has one part. Parts become text.</summary>
    private void WriteFingerprint(Utf8JsonWriter json)
    {
        if (sent.Fingerprint.ValueKind == JsonValueKind.Undefined) return;
        var isList = sent.Fingerprint.ValueKind == JsonValueKind.Array;
        JsonElement[] parts = isList ? [.. sent.Fingerprint.EnumerateArray()] : [sent.Fingerprint];
        if (parts.Length > MostParts) _kept.Drop(Fingerprint, $"has more than {MostParts} parts: cut");
        var read = parts.Take(MostParts).ToList();
        var texts = read.FindAll(IsPart).ConvertAll(JsonText.Of);
        if (texts.Count < read.Count) _kept.Drop(Fingerprint, "holds what is no text");
        var cut = texts.ConvertAll(text => CodePoints.Truncate(text, LongestPart));
        if (!cut.SequenceEqual(texts)) _kept.Drop(Fingerprint, "has a part of more than 1,024 characters: cut");
        if (cut.Count == 0) return;
        _taken.Add(Fingerprint);
        json.WriteStartArray(Fingerprint);
        foreach (var text in cut) json.WriteStringValue(text);
        json.WriteEndArray();
    }

    private static bool IsPart(JsonElement value) =>
        value.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.Null);

    /// <summary>Writes the members whose names are not taken.</summary>
    private void WriteFree(Utf8JsonWriter json, IEnumerable<JsonProperty> members, string path)
    {
        foreach (var member in members)
            if (_taken.Contains(member.Name)) _kept.Drop(path + member.Name, NameTaken);
            else _kept.WriteMember(json, member, path.TrimEnd('.'));
    }

    private void WriteAll(Utf8JsonWriter json, IEnumerable<JsonProperty> members, string path)
    {
        foreach (var member in members) _kept.WriteMember(json, member, path);
    }
}
