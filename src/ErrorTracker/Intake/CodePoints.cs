namespace ErrorTracker.Intake;

/// <summary>
/// Lengths of text as its senders count them: in Unicode code points, not in .NET's UTF-16 units. Pure.
/// </summary>
internal static class CodePoints
{
    public static bool IsLonger(string text, int most)
    {
        // A code point is one or two units: most texts need not be counted.
        if (text.Length <= most) return false;
        if (text.Length > 2 * most) return true;
        return text.EnumerateRunes().Count() > most;
    }

    /// <summary>The first so many code points; the text itself if it has no more.</summary>
    public static string Truncate(string text, int most)
    {
        if (text.Length <= most) return text;
        var (units, points) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if (points == most) return text[..units];
            units += rune.Utf16SequenceLength;
            points++;
        }
        return text;
    }
}
