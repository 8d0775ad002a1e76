using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The place where the stack of an event ends: the message of an event that has no other. Pure.
/// </summary>
internal static class StackPlace
{
    private static readonly string[] Files = ["filename", "abs_path", "module", "package"];

    /// <summary>So many exceptions, and frames of a stack, are looked at: the last ones.</summary>
    private const int Most = 100;

    /// <summary>
    /// The stack of the outermost exception that has one, else the event's own, else that of the thread that crashed.
    /// </summary>
    public static string? Of(List<JsonElement> exceptions, JsonElement? stacktrace, List<JsonElement> threads)
    {
        for (var at = exceptions.Count - 1; at >= Math.Max(0, exceptions.Count - Most); at--)
            if (OfTrace(Member(exceptions[at], "stacktrace")) is { } place)
                return place;
        return OfTrace(stacktrace) ?? OfTrace(Member(Crashed(threads), "stacktrace"));
    }

    /// <summary>The one that crashed, else the current one, else the first with frames.</summary>
    private static JsonElement? Crashed(List<JsonElement> threads)
    {
        JsonElement? current = null, first = null;
        foreach (var thread in threads)
        {
            if (!HasFrames(thread)) continue;
            if (IsTrue(thread, "crashed")) return thread;
            if (current is null && IsTrue(thread, "current")) current = thread;
            first ??= thread;
        }
        return current ?? first;
    }

    private static bool HasFrames(JsonElement thread) =>
        Member(Member(thread, "stacktrace"), "frames") is { ValueKind: JsonValueKind.Array } frames
        && frames.GetArrayLength() > 0;

    /// <summary>
    /// Frames end with the innermost call: the last function of the application's own, else the last of any, else a
    /// file.
    /// </summary>
    private static string? OfTrace(JsonElement? trace)
    {
        if (Member(trace, "frames") is not { ValueKind: JsonValueKind.Array } frames) return null;
        string? own = null, any = null, file = null;
        foreach (var frame in frames.EnumerateArray().Skip(frames.GetArrayLength() - Most))
        {
            var function = Text(frame, "function");
            file = Files.Select(name => Text(frame, name)).FirstOrDefault(text => text is not null) ?? file;
            any = function ?? any;
            if (function is not null && IsTrue(frame, "in_app")) own = function;
        }
        return own ?? any ?? file;
    }

    private static JsonElement? Member(JsonElement? value, string name) =>
        value is { ValueKind: JsonValueKind.Object } known && known.TryGetProperty(name, out var member)
            ? member
            : null;

    private static string? Text(JsonElement value, string name) =>
        Member(value, name) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } known
            ? known
            : null;

    private static bool IsTrue(JsonElement value, string name) =>
        Member(value, name) is { ValueKind: JsonValueKind.True };
}
