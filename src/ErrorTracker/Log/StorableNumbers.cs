using System.Buffers.Text;
using System.Runtime.InteropServices;
using System.Text.Json;

namespace ErrorTracker.Log;

/// <summary>
/// JSON numbers have no bounds; PostgreSQL's <c>numeric</c>, which JSONB uses, does, and writes exponents out in full:
/// 1e300 comes back as 301 digits. So a number must lie in the range of an IEEE double, and what all of them grow to is
/// bounded.
/// </summary>
public static class StorableNumbers
{
    private const int LongestNumber = 400, LargestExponent = 308;

    public const string Expected =
        "must hold only numbers of up to 400 digits in the range of an IEEE double, "
        + "and not more of them than 1 MiB written out";

    /// <summary>Whether all numbers of a value fit; costs its size.</summary>
    /// <param name="size">Digits that the numbers before it grow to; those of the value are added.</param>
    /// <param name="largest">Digits that all of them may grow to.</param>
    public static bool All(JsonElement value, ref long size, int largest)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Number:
                return Fits(JsonMarshal.GetRawUtf8Value(value), ref size, largest);
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

    /// <summary>Whether one number fits, as JSON writes it; <paramref name="size"/> grows only if it does.</summary>
    internal static bool Fits(ReadOnlySpan<byte> number, ref long size, int largest)
    {
        if (number.Length > LongestNumber) return false;
        var written = (long)number.Length;
        var at = number.IndexOfAny((byte)'e', (byte)'E');
        if (at >= 0)
        {
            var digits = number[(at + (number[at + 1] == '+' ? 2 : 1))..];
            if (!Utf8Parser.TryParse(digits, out int exponent, out var read) || read < digits.Length) return false;
            if (exponent is < -LargestExponent or > LargestExponent) return false;
            written += Math.Abs(exponent);
        }
        if (size + written > largest) return false;
        size += written;
        return true;
    }
}
