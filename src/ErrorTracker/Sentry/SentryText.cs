using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ErrorTracker.Sentry;

/// <summary>Texts as SDKs give them. Pure.</summary>
internal static partial class SentryText
{
    /// <summary>Text as it is, and what is no text as JSON writes it.</summary>
    public static string Of(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Null or JsonValueKind.Undefined => "",
        _ => value.GetRawText(),
    };

    /// <summary>A member's text; null if it is absent or empty.</summary>
    public static string? Member(JsonElement value, string name) => value.TryGetProperty(name, out var member) && Of(member) is { Length: > 0 } text ? text : null;

    /// <summary>
    /// Puts parameters in the places that a template has for them, as Python writes them: <c>%s</c> and <c>%(name)s</c>, or else <c>{}</c>, <c>{0}</c> and <c>{name}</c>. A
    /// place without a parameter stays. Stops when there is more text than wanted.
    /// </summary>
    /// <param name="parameters">A list, or an object of names.</param>
    public static string Fill(string template, JsonElement parameters, int most)
    {
        var (places, filled, at, next) = (Percent().IsMatch(template) ? Percent() : Braces(), new StringBuilder(), 0, 0);
        for (var place = places.Match(template); place.Success && filled.Length <= most; place = place.NextMatch())
        {
            filled.Append(template, at, place.Index - at).Append(place.Value == "%%" ? "%" : Parameter(parameters, place.Groups["name"].Value, ref next) ?? place.Value);
            at = place.Index + place.Length;
        }
        return filled.Append(template, at, template.Length - at).ToString();
    }

    private static string? Parameter(JsonElement parameters, string name, ref int next)
    {
        if (parameters.ValueKind == JsonValueKind.Object) return parameters.TryGetProperty(name, out var named) ? Of(named) : null;
        var number = name.Length == 0 ? next++ : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var written) ? written : -1;
        return parameters.ValueKind == JsonValueKind.Array && number >= 0 && number < parameters.GetArrayLength() ? Of(parameters[number]) : null;
    }

    [GeneratedRegex(@"%%|%(?:\((?<name>\w{1,100})\))?[-+ #0]{0,5}\d{0,5}(?:\.\d{1,5})?[A-Za-z]")]
    private static partial Regex Percent();

    [GeneratedRegex(@"\{(?<name>\w{0,100})\}")]
    private static partial Regex Braces();

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
