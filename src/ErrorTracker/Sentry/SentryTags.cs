using System.Text.Json;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Sentry;

/// <summary>The tags of an event in each form that SDKs give them.</summary>
internal static class SentryTags
{
    /// <summary>An object, or a list of pairs, each a list of two or an object of key and value. All values become text.</summary>
    /// <returns>As many as the log takes, and the others, which are for the context; null for none.</returns>
    public static (RawJson? Kept, RawJson? Others) Of(JsonElement? sent, KeptJson kept)
    {
        if (sent is null) return (null, null);
        var (tags, others) = (new Dictionary<string, string>(), new Dictionary<string, string>());
        foreach (var (name, value) in PairsOf(sent.Value, kept))
            if (value.ValueKind == JsonValueKind.Null) continue;
            else if (tags.Count < EventBody.MostTags || tags.ContainsKey(name)) tags[name] = SentryText.Of(value);
            else others[name] = SentryText.Of(value);
        if (others.Count > 0) kept.Drop("tags", EventBody.TooManyTags);
        return (Write(tags), Write(others));
    }

    private static RawJson? Write(Dictionary<string, string> tags) => tags.Count == 0 ? null : KeptJson.Write(json =>
    {
        foreach (var (name, value) in tags) json.WriteString(name, value);
    });

    private static IEnumerable<(string Name, JsonElement Value)> PairsOf(JsonElement tags, KeptJson kept)
    {
        if (tags.ValueKind == JsonValueKind.Object) return tags.EnumerateObject().Select(member => (member.Name, member.Value));
        if (tags.ValueKind != JsonValueKind.Array)
        {
            kept.Drop("tags", "must be an object or a list of pairs");
            return [];
        }
        var pairs = tags.EnumerateArray().Select(PairOf).ToList();
        if (pairs.Contains(null)) kept.Drop("tags", "holds what is no pair");
        return pairs.OfType<(string, JsonElement)>();
    }

    private static (string, JsonElement)? PairOf(JsonElement item) =>
        item.ValueKind == JsonValueKind.Array && item.GetArrayLength() == 2 && item[0].ValueKind == JsonValueKind.String ? (item[0].GetString()!, item[1])
        : item.ValueKind == JsonValueKind.Object && item.TryGetProperty("key", out var key) && key.ValueKind == JsonValueKind.String && item.TryGetProperty("value", out var value) ? (key.GetString()!, value)
        : null;
}
