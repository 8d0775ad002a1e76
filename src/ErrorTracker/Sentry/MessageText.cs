namespace ErrorTracker.Sentry;

internal static class MessageText
{
    /// <summary>The first so many characters, as Unicode counts them; the text itself if it has no more.</summary>
    public static string Cut(string text, int most)
    {
        if (text.Length <= most) return text;
        var length = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            if (most-- == 0) return text[..length];
            length += rune.Utf16SequenceLength;
        }
        return text;
    }
}
