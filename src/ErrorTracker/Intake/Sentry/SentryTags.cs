using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The tags of an event in each form that SDKs give them: an object, or a list of pairs, each a list of two or an
/// object of key and value.
/// </summary>
internal sealed class SentryTags
{
    private readonly Dictionary<string, string> _tags = [], _others = [];

    public SentryTags(JsonElement? sent, KeptJson kept)
    {
        if (sent is null) return;
        foreach (var (name, value) in PairsOf(sent.Value, kept))
        {
            if (value.ValueKind == JsonValueKind.Null) continue;
            var isKept = _tags.Count < EventLimits.MostTags || _tags.ContainsKey(name);
            (isKept ? _tags : _others)[name] = JsonText.Of(value);
        }
        if (_others.Count > 0) kept.Drop("tags", EventLimits.TooManyTags);
    }

    /// <summary>As many as the log takes, all of them text; null if there are none.</summary>
    public RawJson? Kept => _tags.Count == 0 ? null : KeptJson.Write(json => Write(json, _tags));

    /// <summary>Writes those that are more than the log takes, for the context.</summary>
    public void WriteOthers(Utf8JsonWriter context)
    {
        if (_others.Count == 0) return;
        context.WriteStartObject("tags");
        Write(context, _others);
        context.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Dictionary<string, string> tags)
    {
        foreach (var (name, value) in tags) json.WriteString(name, value);
    }

    private static IEnumerable<(string Name, JsonElement Value)> PairsOf(JsonElement tags, KeptJson kept)
    {
        if (tags.ValueKind == JsonValueKind.Object)
            return tags.EnumerateObject().Select(member => (member.Name, member.Value));
        if (tags.ValueKind != JsonValueKind.Array)
        {
            kept.Drop("tags", "must be an object or a list of pairs");
            return [];
        }
        return PairsOfList(tags, kept);
    }

    private static IEnumerable<(string Name, JsonElement Value)> PairsOfList(JsonElement tags, KeptJson kept)
    {
        var holdsOthers = false;
        foreach (var item in tags.EnumerateArray())
            if (PairOf(item) is { } pair) yield return pair;
            else holdsOthers = true;
        if (holdsOthers) kept.Drop("tags", "holds what is no pair");
    }

    /// <summary>Null if the item is no pair.</summary>
    private static (string, JsonElement)? PairOf(JsonElement item)
    {
        var isPair = false;
        JsonElement name = default, value = default;
        if (item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2)
        {
            isPair = true;
            name = item[0];
            value = item[1];
        }
        else if (item.ValueKind == JsonValueKind.Object)
            isPair = item.TryGetProperty("key", out name) && item.TryGetProperty("value", out value);
        return isPair && name.ValueKind == JsonValueKind.String ? (name.GetString()!, value) : null;
    }
}
