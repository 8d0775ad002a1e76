using System.Text.Json;
using System.Text.Json.Serialization;

namespace ErrorTracker.Log;

/// <summary>
/// An error as its application reported it: the one fact that the log holds. Stored as
/// <see cref="EventKinds.ErrorOccurred"/>; its members' names are data.
/// </summary>
/// <param name="OccurredAt">The client's clock.</param>
/// <param name="Level">Canonical: one of <see cref="Levels.All"/>.</param>
/// <param name="Message">1 to 8,192 characters.</param>
/// <param name="Stack">A JSON object, or a text, as it was sent.</param>
/// <param name="Tags">A JSON object of at most 64 members as it was sent.</param>
/// <param name="Context">
/// A JSON object of what was sent beyond the other members; its member <c>dropped</c> names what was cut or changed.
/// </param>
/// <param name="EventId">Its sender's name for it, if it gave one. Rows of former versions lack it.</param>
public sealed record ErrorOccurred(
    [property: JsonPropertyName("occurred_at")] DateTimeOffset OccurredAt,
    [property: JsonPropertyName("level")] string Level,
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("stack"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    RawJson? Stack,
    [property: JsonPropertyName("tags"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    RawJson? Tags,
    [property: JsonPropertyName("context"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    RawJson? Context = null,
    [property: JsonPropertyName("event_id"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    Guid? EventId = null)
{
    /// <summary>As the log stores it: JSON in UTF-8.</summary>
    public byte[] ToStored() => JsonSerializer.SerializeToUtf8Bytes(this, StoredJson.Default.ErrorOccurred);
}
