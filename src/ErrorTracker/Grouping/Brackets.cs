namespace ErrorTracker.Grouping;

/// <summary>Pairs of brackets in names of functions. Pure.</summary>
internal static class Brackets
{
    /// <summary>The place of the bracket that closes the one at a place; -1 if none does.</summary>
    public static int Close(ReadOnlySpan<char> text, int at)
    {
        var open = text[at];
        var close = open switch { '(' => ')', '[' => ']', '{' => '}', _ => '>' };
        var depth = 0;
        for (; at < text.Length; at++)
        {
            if (text[at] == open) depth++;
            else if (text[at] == close && !IsArrow(text, at) && --depth == 0) return at;
        }
        return -1;
    }

    private static bool IsArrow(ReadOnlySpan<char> text, int at) =>
        text[at] == '>' && at > 0 && text[at - 1] is '-' or '=';
}
