namespace ErrorTracker.Grouping;

/// <summary>A message before its parameters took their places, as an SDK sent it. Pure.</summary>
internal static class SdkTemplate
{
    /// <summary>Whether it says anything itself: <c>%s</c> and <c>{Message}</c> do not.</summary>
    public static bool HasWords(ReadOnlySpan<char> template)
    {
        for (var at = 0; at < template.Length; at++)
        {
            if (template[at] == '{' && template[at..].IndexOf('}') is var close and > 0) at += close;
            else if (template[at] == '%') at += Placeholder(template[at..]);
            else if (char.IsLetter(template[at])) return true;
        }
        return false;
    }

    /// <returns>Characters behind the percent sign that belong to it.</returns>
    private static int Placeholder(ReadOnlySpan<char> text)
    {
        var at = 1;
        if (at < text.Length && text[at] == '(' && text.IndexOf(')') is var close and > 0) at = close + 1;
        while (at < text.Length && text[at] is '-' or '+' or ' ' or '#' or '.' or '$' or (>= '0' and <= '9')) at++;
        return Math.Min(at, text.Length - 1);
    }
}
