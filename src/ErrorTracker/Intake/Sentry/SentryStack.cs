using System.Text.Json;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>The exceptions and threads of an event with their frames, as the log's <c>stack</c>.</summary>
internal static class SentryStack
{
    /// <summary>So many items that are no objects are made objects: a mebibyte of them would become six.</summary>
    private const int MostOthers = 100;

    /// <summary>The items of <c>{"values":[…]}</c> or of a list; any other value is the one item, and null is none.</summary>
    public static List<JsonElement> ListOf(JsonElement? sent, string name, KeptJson kept)
    {
        if (sent is not { } value) return [];
        if (value.ValueKind == JsonValueKind.Object && value.TryGetProperty("values", out var values)) value = values;
        List<JsonElement> items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        items.RemoveAll(item => item.ValueKind == JsonValueKind.Null);
        var others = items.Count(IsNoObject);
        if (others > MostOthers)
        {
            var left = others - MostOthers;
            items.RemoveAll(item => IsNoObject(item) && left-- > 0);
            kept.Drop(name, $"holds what is no object: the last {MostOthers} are kept as their values");
        }
        else if (others > 0) kept.Drop(name, "holds what is no object: kept as its value");
        return items;
    }

    private static bool IsNoObject(JsonElement item) => item.ValueKind != JsonValueKind.Object;

    /// <summary>The text of the last item that is only that; null if there is none.</summary>
    public static string? TextOf(List<JsonElement> items)
    {
        var last = items.FindLastIndex(IsText);
        return last < 0 ? null : JsonText.Of(items[last]);
    }

    private static bool IsText(JsonElement item) =>
        item.ValueKind == JsonValueKind.Number || item.ValueKind == JsonValueKind.String && !item.ValueEquals("");

    /// <summary>
    /// Frames are lifted out of their stacktrace; what else it holds stays in it. An item that is no object becomes one
    /// with it as its value.
    /// </summary>
    /// <param name="stacktrace">Of an event that has one of its own.</param>
    public static RawJson? Of(
        List<JsonElement> exceptions, List<JsonElement> threads, JsonElement? stacktrace, KeptJson kept)
    {
        if (exceptions.Count == 0 && threads.Count == 0 && stacktrace is null) return null;
        return KeptJson.Write(stack =>
        {
            WriteList(kept, stack, exceptions, "exceptions");
            WriteList(kept, stack, threads, "threads");
            if (stacktrace is { ValueKind: JsonValueKind.Object } trace) WriteTrace(kept, stack, trace, "stacktrace");
            else if (stacktrace is { } other)
            {
                stack.WritePropertyName("stacktrace");
                kept.WriteValue(stack, other, "", "stacktrace");
            }
        });
    }

    private static void WriteList(KeptJson kept, Utf8JsonWriter stack, List<JsonElement> items, string name)
    {
        if (items.Count == 0) return;
        stack.WriteStartArray(name);
        for (var i = 0; i < items.Count; i++)
        {
            stack.WriteStartObject();
            if (items[i].ValueKind == JsonValueKind.Object) WriteItem(kept, stack, items[i], name, i);
            else
            {
                stack.WritePropertyName("value");
                kept.WriteValue(stack, items[i], name, "value");
            }
            stack.WriteEndObject();
        }
        stack.WriteEndArray();
    }

    private static void WriteItem(KeptJson kept, Utf8JsonWriter stack, JsonElement item, string list, int index)
    {
        string? path = null;
        foreach (var member in item.EnumerateObject())
        {
            path ??= $"{list}.{index}";
            if (member.NameEquals("stacktrace") && member.Value.ValueKind == JsonValueKind.Object)
                WriteTrace(kept, stack, member.Value, $"{path}.stacktrace");
            else kept.WriteMember(stack, member, path);
        }
    }

    private static void WriteTrace(KeptJson kept, Utf8JsonWriter stack, JsonElement trace, string path)
    {
        var others = new List<JsonProperty>();
        foreach (var member in trace.EnumerateObject())
            if (member.NameEquals("frames")) kept.WriteMember(stack, member, path);
            else if (member.Value.ValueKind != JsonValueKind.Null) others.Add(member);
        if (others.Count == 0) return;
        stack.WriteStartObject("stacktrace");
        foreach (var member in others) kept.WriteMember(stack, member, path);
        stack.WriteEndObject();
    }
}
