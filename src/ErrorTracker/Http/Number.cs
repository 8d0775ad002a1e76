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

    /// <summary>What is absent is <paramref name="otherwise"/>; what is no number between the two limits is named in <paramref name="errors"/>.</summary>
    public static int Optional(string field, string? text, int otherwise, int least, int most, Dictionary<string, string[]> errors)
    {
        if (text is null) return otherwise;
        if (!text.Contains('\0') && int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most) return number;
        errors[field] = [most == int.MaxValue ? $"must be a whole number, at least {least}" : $"must be a whole number from {least} to {most}"];
        return otherwise;
    }
}
