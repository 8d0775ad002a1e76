using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>What has been decided about an issue. Nothing yet: all are unresolved.</summary>
internal static class IssueState
{
    public const string Unresolved = "unresolved", Everything = "all";

    /// <summary>Each issue is in one of these.</summary>
    public static readonly string[] All = [Unresolved, "resolved", "ignored", "regressed"];

    /// <summary>Those that a list can be asked for.</summary>
    public static readonly string[] Asked = [.. All, Everything];

    /// <summary>Unresolved if absent; what is no state is named in <paramref name="errors"/>.</summary>
    public static string Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return Unresolved;
        if (Asked.Contains(text)) return text;
        errors.AddFault("state", $"must be {string.Join(", ", Asked)}");
        return Unresolved;
    }
}
