using System.Globalization;

namespace ErrorTracker.Http;

/// <summary>Whole numbers in queries and paths.</summary>
internal static class Number
{
    /// <summary>The name of an application's id in paths.</summary>
    public const string ApplicationId = "app_id";

    public const string ExpectedId = "must be a positive integer";

    private const int MostDigits = 100;

    /// <summary>A positive integer in plain digits, as paths carry it.</summary>
    public static bool IsId(ReadOnlySpan<char> text) =>
        text.Length is > 0 and <= MostDigits && !text.ContainsAnyExceptInRange('0', '9') && text.ContainsAnyExcept('0');

    /// <summary>
    /// A number in a path that <see cref="IsId"/>; one larger than numbers can be is nobody's: int.MaxValue.
    /// </summary>
    public static int OfPath(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : int.MaxValue;

    /// <summary>
    /// What is absent is <paramref name="otherwise"/>; what is no number between the two limits is named in
    /// <paramref name="errors"/>.
    /// </summary>
    public static int Optional(
        string field, string? text, int otherwise, int least, int most, Dictionary<string, string[]> errors)
    {
        if (text is null) return otherwise;
        if (TryParse(text, out var number) && number >= least && number <= most) return number;
        errors.AddFault(field, most == int.MaxValue
            ? $"must be a whole number, at least {least}"
            : $"must be a whole number from {least} to {most}");
        return otherwise;
    }

    /// <summary>.NET takes a number for one although zero bytes follow it.</summary>
    private static bool TryParse(string text, out int number)
    {
        number = 0;
        return !text.Contains('\0')
            && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out number);
    }
}
