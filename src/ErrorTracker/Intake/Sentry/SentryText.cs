using System.Text;
using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>Texts as SDKs give them. Pure.</summary>
internal static class SentryText
{
    /// <summary>Text as it is, and what is no text as JSON writes it.</summary>
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    /// <summary>A member's text; null if it is absent or empty.</summary>
    public static string? Member(JsonElement value, string name) =>
        value.TryGetProperty(name, out var member) && Of(member) is { Length: > 0 } text ? text : null;

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
