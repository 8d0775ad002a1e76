namespace ErrorTracker.Log;

/// <summary>Ids of events as people have them in hand.</summary>
internal static class EventIds
{
    /// <summary>
    /// 32 hexadecimal digits, in any case, with the dashes of a UUID or without; null if it is no such thing.
    /// </summary>
    public static Guid? Parse(string text) =>
        text.Length is 32 or 36
        && text.All(c => char.IsAsciiHexDigit(c) || c == '-') // .NET takes blanks, signs and 0x for digits
        && Guid.TryParse(text, out var id) ? id : null;
}
