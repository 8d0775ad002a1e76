namespace ErrorTracker.Grouping;

/// <summary>
/// Names that the compilers of .NET give to what an author wrote without one: <c>&lt;AddAsync&gt;d__7</c> is the state
/// machine of AddAsync. Their numbers change with each method that is added. Pure.
/// </summary>
internal static class GeneratedName
{
    private const int MostNested = 4;

    /// <summary>The method that an author wrote; empty for a class of closures; null if a person gave the name.</summary>
    public static string? Of(ReadOnlySpan<char> name) => Of(name, 0);

    private static string? Of(ReadOnlySpan<char> name, int depth)
    {
        if (name.IsEmpty || name[0] != '<' || depth > MostNested) return OfVisualBasic(name);
        var close = Brackets.Close(name, 0);
        if (close < 0 || close + 1 >= name.Length) return null;
        var inside = name[1..close];
        var kind = name[(close + 1)..];
        if (kind[0] is '.' or ':') return null;
        if (inside.IsEmpty) return "";
        var outer = Of(inside, depth + 1) ?? inside.ToString();
        return kind[0] switch
        {
            'g' when kind.StartsWith("g__") => $"{outer}.{UpTo(kind[3..], '|')}",
            'b' or 'm' when kind[1..].StartsWith("__") => $"{outer}.{Lambda}",
            'd' or '$' or 'c' or 'e' or 'f' or 'j' or 'k' or 'i' or 's' => outer,
            _ => null,
        };
    }

    /// <summary>What a function without a name is called, behind the one that it stands in.</summary>
    public const string Lambda = "lambda";

    private static string? OfVisualBasic(ReadOnlySpan<char> name)
    {
        if (name.StartsWith("_Closure$__")) return "";
        if (name.StartsWith("_Lambda$__")) return Lambda;
        if (!name.StartsWith("VB$StateMachine_")) return null;
        var rest = name["VB$StateMachine_".Length..].TrimStart("0123456789");
        return rest.Length > 1 ? rest[1..].ToString() : "";
    }

    private static ReadOnlySpan<char> UpTo(ReadOnlySpan<char> text, char end)
    {
        var at = text.IndexOf(end);
        return at < 0 ? text : text[..at];
    }
}
