using System.Text.Json;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Sentry;

/// <summary>The exceptions and threads of an event with their frames, as the log's <c>stack</c>.</summary>
internal static class SentryStack
{
    /// <summary>The objects of <c>{"values":[…]}</c>, of a list, or the one.</summary>
    public static List<JsonElement> ListOf(JsonElement? sent, string name, KeptJson kept)
    {
        if (sent is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("values", out var values)) value = values;
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        if (items.Any(item => item.ValueKind is not JsonValueKind.Object and not JsonValueKind.Null)) kept.Drop(name, "holds what is no object");
        return [.. items.Where(item => item.ValueKind == JsonValueKind.Object)];
    }

    /// <summary>Frames are lifted out of their stacktrace; what else it holds stays in it.</summary>
    /// <param name="stacktrace">Of an event that has one of its own.</param>
    public static RawJson? Of(List<JsonElement> exceptions, List<JsonElement> threads, JsonElement? stacktrace, KeptJson kept)
    {
        if (exceptions.Count == 0 && threads.Count == 0 && stacktrace is null) return null;
        return KeptJson.Write(stack =>
        {
            foreach (var (name, items) in new[] { ("exceptions", exceptions), ("threads", threads) })
            {
                if (items.Count == 0) continue;
                stack.WriteStartArray(name);
                for (var i = 0; i < items.Count; i++)
                {
                    stack.WriteStartObject();
                    foreach (var member in items[i].EnumerateObject())
                        if (member.NameEquals("stacktrace") && member.Value.ValueKind == JsonValueKind.Object) WriteTrace(kept, stack, member.Value, $"{name}.{i}.stacktrace");
                        else kept.WriteMember(stack, member, $"{name}.{i}");
                    stack.WriteEndObject();
                }
                stack.WriteEndArray();
            }
            if (stacktrace is { ValueKind: JsonValueKind.Object } trace) WriteTrace(kept, stack, trace, "stacktrace");
            else if (stacktrace is not null) kept.Drop("stacktrace", "is no object");
        });
    }

    private static void WriteTrace(KeptJson kept, Utf8JsonWriter stack, JsonElement trace, string path)
    {
        foreach (var member in trace.EnumerateObject().Where(member => member.NameEquals("frames"))) kept.WriteMember(stack, member, path);
        var others = trace.EnumerateObject().Where(member => !member.NameEquals("frames") && member.Value.ValueKind != JsonValueKind.Null).ToList();
        if (others.Count == 0) return;
        stack.WriteStartObject("stacktrace");
        foreach (var member in others) kept.WriteMember(stack, member, path);
        stack.WriteEndObject();
    }
}
