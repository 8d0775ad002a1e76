namespace ErrorTracker.Ingestion;

/// <summary>The severities of an error, in their canonical spelling.</summary>
public static class Levels
{
    public static readonly string[] All = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

    public const string Expected = "must be one of DEBUG, INFO, WARNING (or WARN), ERROR, CRITICAL (or FATAL), in any case";

    /// <summary>Any case, and the synonyms WARN and FATAL; null if it is no level.</summary>
    public static string? Parse(string? text) => text?.ToUpperInvariant() switch
    {
        "DEBUG" => "DEBUG",
        "INFO" => "INFO",
        "WARNING" or "WARN" => "WARNING",
        "ERROR" => "ERROR",
        "CRITICAL" or "FATAL" => "CRITICAL",
        _ => null,
    };

    /// <summary>A level to filter by: null if absent; what is no level is named in <paramref name="errors"/>.</summary>
    public static string? Optional(string? text, Dictionary<string, string[]> errors)
    {
        var level = Parse(text);
        if (text is not null && level is null) errors["level"] = [Expected];
        return level;
    }
}
