using ErrorTracker.Http;

namespace ErrorTracker.Windows;

/// <summary>The number of an issue, as a parameter.</summary>
internal static class IssueNumber
{
    /// <summary>Null if absent.</summary>
    public static int? Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return null;
        return Number.Optional("issue", text, otherwise: 1, least: 1, int.MaxValue, errors);
    }

    /// <summary>Of a path.</summary>
    public static int Required(string text, Dictionary<string, string[]> errors) =>
        Number.Optional("number", text, otherwise: 1, least: 1, int.MaxValue, errors);
}
