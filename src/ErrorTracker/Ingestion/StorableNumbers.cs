using System.Globalization;
using System.Text.Json;

namespace ErrorTracker.Ingestion;

/// <summary>
/// JSON numbers have no bounds; PostgreSQL's <c>numeric</c>, which JSONB uses, does, and writes exponents out in full: 1e300 comes back as
/// 301 digits. So a number must lie in the range of an IEEE double, and what all of them grow to is bounded.
/// </summary>
public static class StorableNumbers
{
    private const int LongestNumber = 400, LargestExponent = 308;

    public const string Expected = "must hold only numbers of up to 400 digits in the range of an IEEE double, and not more of them than 1 MiB written out";

    public static bool All(JsonElement value, ref long size, int largest)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                return Fits(value.GetRawText(), ref size) && size <= largest;
            case JsonValueKind.Array:
                foreach (var item in value.EnumerateArray())
                    if (!All(item, ref size, largest)) return false;
                return true;
            case JsonValueKind.Object:
                foreach (var member in value.EnumerateObject())
                    if (!All(member.Value, ref size, largest)) return false;
                return true;
            default:
                return true;
        }
    }

    private static bool Fits(string number, ref long size)
    {
        size += number.Length;
        if (number.Length > LongestNumber) return false;
        var exponentAt = number.AsSpan().IndexOfAny('e', 'E');
        if (exponentAt < 0) return true;
        if (!int.TryParse(number.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var exponent)
            || Math.Abs(exponent) > LargestExponent) return false;
        size += Math.Abs(exponent);
        return true;
    }
}
