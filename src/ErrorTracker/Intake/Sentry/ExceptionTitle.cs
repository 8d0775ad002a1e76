using System.Text.Json;
using ErrorTracker.Grouping;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The title of an event: type and text of the exception that counts, as <see cref="ExceptionChain"/> finds it. Pure;
/// costs the size of the exceptions.
/// </summary>
internal static class ExceptionTitle
{
    /// <param name="exceptions">The innermost first. What is no object has no title and stands for nothing.</param>
    /// <returns>Null if none has a title.</returns>
    public static string? Of(List<JsonElement> exceptions)
    {
        if (exceptions.Count == 0) return null;
        var subject = new ExceptionChain(exceptions.ConvertAll(LinkOf), GroupingRules.None).Subject();
        return subject < 0 ? null : TitleOf(exceptions[subject]);
    }

    private static ChainLink LinkOf(JsonElement exception)
    {
        if (exception.ValueKind != JsonValueKind.Object) return default;
        var type = JsonText.Member(exception, "type");
        var isTitled = type is not null || JsonText.Member(exception, "value") is not null;
        if (!exception.TryGetProperty("mechanism", out var mechanism)) return new(type, isTitled);
        if (mechanism.ValueKind != JsonValueKind.Object) return new(type, isTitled);
        var kinship = ChainLink.KinshipOf(JsonText.Member(mechanism, "type"), JsonText.Member(mechanism, "source"));
        var isGroup = mechanism.TryGetProperty("is_exception_group", out var group) && group.ValueKind == JsonValueKind.True;
        return new(type, isTitled, Id(mechanism, "exception_id"), Id(mechanism, "parent_id"), isGroup, kinship);
    }

    private static long? Id(JsonElement mechanism, string name)
    {
        if (!mechanism.TryGetProperty(name, out var id)) return null;
        return id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out var number) ? number : null;
    }

    private static string? TitleOf(JsonElement exception)
    {
        var type = JsonText.Member(exception, "type");
        var value = JsonText.Member(exception, "value");
        return type is not null && value is not null ? $"{type}: {value}" : type ?? value;
    }
}
