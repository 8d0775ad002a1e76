namespace ErrorTracker.Grouping;

/// <summary>
/// Names of methods that compilers for the JVM make with <c>$</c>: <c>lambda$save$0</c>, <c>access$000</c>,
/// <c>$anonfun$save$1</c>, <c>load$default</c>. Pure.
/// </summary>
internal static class JvmName
{
    /// <summary>The method that an author wrote, with <c>.lambda</c> for a lambda in it; empty if it tells none.</summary>
    public static string Of(ReadOnlySpan<char> name)
    {
        var isLambda = false;
        var method = ReadOnlySpan<char>.Empty;
        foreach (var range in name.Split('$'))
        {
            var part = name[range];
            if (part is "lambda" or "anonfun" || part.StartsWith("lambda-")) isLambda = true;
            else if (method.IsEmpty && !IsPrefix(part)) method = part;
        }
        if (method.IsEmpty) return isLambda ? GeneratedName.Lambda : "";
        return isLambda ? $"{method}.{GeneratedName.Lambda}" : method.ToString();
    }

    /// <summary>The first part that a person wrote; empty if there is none.</summary>
    public static ReadOnlySpan<char> FirstPart(ReadOnlySpan<char> name)
    {
        foreach (var range in name.Split('$'))
            if (!IsPrefix(name[range])) return name[range];
        return default;
    }

    private static bool IsPrefix(ReadOnlySpan<char> part) =>
        part is "" or "access" or "r8" or "null" or "static" or "Nest" or "nested" or "adapted"
        || !part.ContainsAnyExceptInRange('0', '9');
}
