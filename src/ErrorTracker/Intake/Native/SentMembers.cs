using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// The members of a native event, found in one pass. Of two members of the same name the last counts; null counts as
/// absent.
/// </summary>
internal struct SentMembers
{
    public JsonElement OccurredAt, Level, Message, Stack, Tags, Context, Fingerprint, EventId;

    /// <summary>The members that have no place of their own; null if there are none.</summary>
    public List<JsonProperty>? Others { get; private set; }

    /// <param name="body">An object.</param>
    public static SentMembers Of(JsonElement body)
    {
        var members = new SentMembers();
        foreach (var member in body.EnumerateObject()) members.Take(member);
        return members;
    }

    private void Take(JsonProperty member)
    {
        var value = member.Value.ValueKind == JsonValueKind.Null ? default : member.Value;
        var name = JsonMarshal.GetRawUtf8PropertyName(member);
        if (name.Contains((byte)'\\')) name = Encoding.UTF8.GetBytes(member.Name);

        if (name.SequenceEqual("occurred_at"u8)) OccurredAt = value;
        else if (name.SequenceEqual("level"u8)) Level = value;
        else if (name.SequenceEqual("message"u8)) Message = value;
        else if (name.SequenceEqual("stack"u8)) Stack = value;
        else if (name.SequenceEqual("tags"u8)) Tags = value;
        else if (name.SequenceEqual("event_id"u8)) EventId = value;
        else if (name.SequenceEqual("context"u8)) Context = value;
        else if (name.SequenceEqual("fingerprint"u8)) Fingerprint = value;
        else if (value.ValueKind != JsonValueKind.Undefined) (Others ??= []).Add(member);
    }
}
