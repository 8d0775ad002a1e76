using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// A message with places for its parameters, as Python writes them: <c>%s</c> and <c>%(name)s</c>, or else <c>{}</c>,
/// <c>{0}</c> and <c>{name}</c>. Pure. A place without a parameter stays as it is.
/// </summary>
internal static partial class MessageTemplate
{
    /// <summary>Places that are filled; those after them stay.</summary>
    internal const int MostPlaces = 100;

    /// <summary>Parameters that are known: the first of a list, or of an object's members.</summary>
    private const int MostParameters = 1_000;

    /// <summary>
    /// No place is longer: it bounds how much of a template can decide on the first characters of the message.
    /// </summary>
    private const int LongestPlace = 120;

    /// <summary>
    /// Stops when there is more text than wanted: the answer is longer than that, and may be the beginning of the
    /// message.
    /// </summary>
    /// <param name="parameters">A list, or an object of names.</param>
    /// <param name="most">Characters that are wanted.</param>
    public static string Fill(string template, JsonElement parameters, int most)
    {
        var longest = most + 1 + MostPlaces * LongestPlace;
        if (template.Length > longest) template = template[..longest];
        var pattern = Percent().IsMatch(template) ? Percent() : Braces();
        var values = ValuesOf(parameters);
        var filled = new StringBuilder();
        var at = 0;
        var next = 0;
        var place = pattern.Match(template);
        for (var places = 0; places < MostPlaces && place.Success && filled.Length <= most; places++)
        {
            var value = place.Value == "%%" ? "%" : values.GetValueOrDefault(NameOf(place, parameters, ref next));
            filled.Append(template, at, place.Index - at).Append(value ?? place.Value);
            at = place.Index + place.Length;
            place = place.NextMatch();
        }
        return filled.Append(template, at, template.Length - at).ToString();
    }

    /// <summary>A place without a name takes the next of a list.</summary>
    private static string NameOf(Match place, JsonElement parameters, ref int next)
    {
        var name = place.Groups["name"].Value;
        if (parameters.ValueKind != JsonValueKind.Array) return name;
        if (name.Length == 0) return Key(next++);
        return int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var index) ? Key(index) : name;
    }

    /// <summary>
    /// Looked up by name, or by place in the list: read once, as JSON finds neither without a search.
    /// </summary>
    private static Dictionary<string, string> ValuesOf(JsonElement parameters)
    {
        var values = new Dictionary<string, string>();
        if (parameters.ValueKind == JsonValueKind.Object)
            foreach (var member in parameters.EnumerateObject().Take(MostParameters))
                values[member.Name] = JsonText.Of(member.Value);
        if (parameters.ValueKind == JsonValueKind.Array)
            foreach (var (index, item) in parameters.EnumerateArray().Take(MostParameters).Index())
                values[Key(index)] = JsonText.Of(item);
        return values;
    }

    private static string Key(int index) => index.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"%%|%(?:\((?<name>\w{1,100})\))?[-+ #0]{0,5}\d{0,5}(?:\.\d{1,5})?[A-Za-z]")]
    private static partial Regex Percent();

    [GeneratedRegex(@"\{(?<name>\w{0,100})\}")]
    private static partial Regex Braces();
}
