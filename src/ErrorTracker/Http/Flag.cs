namespace ErrorTracker.Http;

/// <summary>true and false in queries.</summary>
internal static class Flag
{
    /// <summary>False if absent; what is neither true nor false is named in <paramref name="errors"/>.</summary>
    public static bool Optional(string field, string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return false;
        if (text.Equals("true", StringComparison.OrdinalIgnoreCase)) return true;
        if (!text.Equals("false", StringComparison.OrdinalIgnoreCase)) errors.AddFault(field, "must be true or false");
        return false;
    }
}
