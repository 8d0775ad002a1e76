namespace ErrorTracker.Grouping;

/// <summary>
/// The name of a function as engines of JavaScript write it. They differ in what they put before it: V8 has
/// <c>Cart.total [as onClick]</c> where others have <c>total</c>, so the last part counts. Pure.
/// </summary>
internal static class ScriptName
{
    /// <summary>Empty if it has none, or only one that a minifier may have given.</summary>
    /// <param name="isCompiled">The file may be a minifier's work.</param>
    /// <param name="isBuilt">It is a tool's work for sure.</param>
    public static string Of(ReadOnlySpan<char> raw, bool isCompiled, bool isBuilt)
    {
        var name = raw;
        var alias = ReadOnlySpan<char>.Empty;
        var at = name.IndexOf(" [as ");
        if (at >= 0)
        {
            alias = name[(at + 5)..].TrimEnd(']');
            name = name[..at];
        }
        var own = OwnName(name);
        if (IsNameless(own, isCompiled, isBuilt)) own = OwnName(alias);
        return IsNameless(own, isCompiled, isBuilt) ? "" : own;
    }

    private static string OwnName(ReadOnlySpan<char> name)
    {
        var isPath = name.Contains("./", StringComparison.Ordinal) && !name.EndsWith("<");
        if (isPath) return FileName.Of(name.ToString()).Text ?? "";
        var arguments = name.IndexOf('(');
        if (arguments > 0) name = name[..arguments];
        name = name.Trim();
        name = name[(name.LastIndexOf(' ') + 1)..];
        var isInner = name.EndsWith("<") && !name.EndsWith(".<");
        name = name.TrimEnd("</");
        var own = name[(name.LastIndexOfAny("./") + 1)..];
        own = WithoutCopy(own);
        return isInner && !own.IsEmpty ? $"{own}.{GeneratedName.Lambda}" : own.ToString();
    }

    /// <summary>Bundlers tell functions of the same name apart by a number behind a <c>$</c>.</summary>
    private static ReadOnlySpan<char> WithoutCopy(ReadOnlySpan<char> name)
    {
        var word = name.TrimEnd("0123456789");
        return word.Length > 1 && word[^1] == '$' && word.Length < name.Length ? word[..^1] : name;
    }

    private static bool IsNameless(ReadOnlySpan<char> name, bool isCompiled, bool isBuilt)
    {
        if (name.EndsWith(".lambda")) name = name[..^7];
        if (name.IsEmpty || !name.ContainsAnyExceptInRange('0', '9')) return true;
        if (name[0] is '<' or '?' || name is "anonymous" or "eval" or "Anonymous" or "undefined" or "null") return true;
        if (name.StartsWith("_callee") || name.StartsWith("_loop")) return true;
        if (!isCompiled) return false;
        return name.Length <= 2 || isBuilt && name.Length == 3 && LooksMinified(name);
    }

    private static bool LooksMinified(ReadOnlySpan<char> name)
    {
        var (upper, lower, others) = (0, 0, 0);
        foreach (var c in name)
        {
            if (char.IsUpper(c)) upper++;
            else if (char.IsLower(c)) lower++;
            else others++;
        }
        return others > 0 || upper > 0 && lower > 0;
    }
}
