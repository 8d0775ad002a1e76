namespace ErrorTracker.Grouping;

/// <summary>A stack that was sent as text. Its first line says what happened, in most languages. Pure.</summary>
internal static class TextStack
{
    /// <summary>Characters that are read: Python says what happened behind all frames.</summary>
    private const int Longest = 256 * 1024;

    /// <summary>Most first lines end within so many characters.</summary>
    private const int UsualLine = 512;

    private const string Traceback = "Traceback (most recent call last)";

    private static readonly string[] PlaceStarts =
        ["at ", "#", "File \"", "goroutine ", "in ", "from ", "Stack trace", "stack backtrace", "0:", "0x", "Traceback"];

    /// <summary>Null if all of it is blank.</summary>
    public static string? LineOf(TextAt stack, ReadOnlySpan<byte> json)
    {
        var start = stack.In(json, UsualLine);
        var line = Template.FirstLine(start);
        var isCut = start?.Length == UsualLine && !start.AsSpan().TrimStart().ContainsAny('\r', '\n');
        if (isCut) line = Template.FirstLine(stack.In(json));
        if (line.StartsWith(Traceback)) line = LastLine(stack.In(json, Longest));
        return line.IsEmpty ? null : line.ToString();
    }

    private static ReadOnlySpan<char> LastLine(ReadOnlySpan<char> text)
    {
        text = text.TrimEnd();
        return text[(text.LastIndexOfAny('\r', '\n') + 1)..].Trim();
    }

    /// <summary>A line that says where, and not what.</summary>
    public static bool IsPlace(ReadOnlySpan<char> line)
    {
        foreach (var start in PlaceStarts) if (line.StartsWith(start)) return true;
        return false;
    }
}
