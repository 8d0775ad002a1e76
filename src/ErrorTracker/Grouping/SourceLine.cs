namespace ErrorTracker.Grouping;

/// <summary>The line of source that stands for a function without a name. Pure.</summary>
internal static class SourceLine
{
    /// <summary>A longer line is a minifier's work.</summary>
    private const int Longest = 120;

    /// <summary>An SDK cut it.</summary>
    private const string Cut = "{snip}";

    /// <summary>Blanks collapsed; null if it is too long, cut, or blank.</summary>
    public static string? Of(string? line)
    {
        if (line is null || line.Contains(Cut, StringComparison.Ordinal)) return null;
        var words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var text = string.Join(' ', words);
        return text.Length is > 0 and <= Longest ? text : null;
    }
}
