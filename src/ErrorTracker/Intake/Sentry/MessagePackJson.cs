using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// Reads MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md), in which sentry-native writes its files
/// beside a dump, as JSON. Pure.
/// </summary>
internal static class MessagePackJson
{
    private const int Deepest = 40, MostValues = 1_000;

    /// <summary>
    /// The values that follow one another, 1,000 at most; those before what cannot be read, if there is such. Binary
    /// data and extensions become null.
    /// </summary>
    public static List<JsonElement> Read(ReadOnlyMemory<byte> bytes)
    {
        var values = new List<JsonElement>();
        var rest = bytes.Span;
        var written = 0;
        while (!rest.IsEmpty && values.Count < MostValues)
        {
            var buffer = new ArrayBufferWriter<byte>();
            using (var json = new Utf8JsonWriter(buffer))
            {
                if (!TryWrite(ref rest, json, Deepest)) break;
            }
            written += buffer.WrittenCount;
            if (written > EventLimits.Largest) break;
            values.Add(JsonElement.Parse(buffer.WrittenSpan));
        }
        return values;
    }

    private static bool TryWrite(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, int depth)
    {
        if (from.IsEmpty || depth == 0) return false;
        var code = from[0];
        from = from[1..];
        switch (code)
        {
            case <= 0x7f:
                json.WriteNumberValue(code);
                return true;
            case >= 0xe0:
                json.WriteNumberValue((sbyte)code);
                return true;
            case <= 0x8f:
                return TryWriteMap(ref from, json, code & 0x0fu, depth);
            case <= 0x9f:
                return TryWriteArray(ref from, json, code & 0x0fu, depth);
            case <= 0xbf:
                return TryWriteText(ref from, json, code & 0x1fu);
            case 0xc0:
                json.WriteNullValue();
                return true;
            case 0xc2 or 0xc3:
                json.WriteBooleanValue(code == 0xc3);
                return true;
            case >= 0xc4 and <= 0xc6:
                return TryTakeNumber(ref from, 1 << code - 0xc4, out var binary) && TryPassOver(ref from, json, binary);
            case >= 0xc7 and <= 0xc9:
                return TryTakeNumber(ref from, 1 << code - 0xc7, out var extension)
                    && TryPassOver(ref from, json, extension + 1);
            case 0xca or 0xcb:
                return TryWriteFraction(ref from, json, isDouble: code == 0xcb);
            case >= 0xcc and <= 0xcf:
                if (!TryTakeNumber(ref from, 1 << code - 0xcc, out var unsigned)) return false;
                json.WriteNumberValue(unsigned);
                return true;
            case >= 0xd0 and <= 0xd3:
                return TryWriteSigned(ref from, json, 1 << code - 0xd0);
            case >= 0xd4 and <= 0xd8:
                return TryPassOver(ref from, json, (1ul << code - 0xd4) + 1);
            case >= 0xd9 and <= 0xdb:
                return TryTakeNumber(ref from, 1 << code - 0xd9, out var text) && TryWriteText(ref from, json, text);
            case 0xdc or 0xdd:
                return TryTakeNumber(ref from, code == 0xdc ? 2 : 4, out var items)
                    && TryWriteArray(ref from, json, items, depth);
            case 0xde or 0xdf:
                return TryTakeNumber(ref from, code == 0xde ? 2 : 4, out var members)
                    && TryWriteMap(ref from, json, members, depth);
            default:
                return false;
        }
    }

    private static bool TryWriteArray(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, ulong count, int depth)
    {
        json.WriteStartArray();
        for (; count > 0; count--)
            if (!TryWrite(ref from, json, depth - 1)) return false;
        json.WriteEndArray();
        return true;
    }

    private static bool TryWriteMap(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, ulong count, int depth)
    {
        json.WriteStartObject();
        for (; count > 0; count--)
        {
            if (!TryTakeKey(ref from, out var key)) return false;
            json.WritePropertyName(key);
            if (!TryWrite(ref from, json, depth - 1)) return false;
        }
        json.WriteEndObject();
        return true;
    }

    /// <summary>Keys are text or small numbers.</summary>
    private static bool TryTakeKey(ref ReadOnlySpan<byte> from, out string key)
    {
        key = "";
        if (from.IsEmpty) return false;
        var code = from[0];
        from = from[1..];
        ulong length;
        switch (code)
        {
            case <= 0x7f:
                key = code.ToString(CultureInfo.InvariantCulture);
                return true;
            case >= 0xa0 and <= 0xbf:
                length = code & 0x1fu;
                break;
            case >= 0xd9 and <= 0xdb when TryTakeNumber(ref from, 1 << code - 0xd9, out length):
                break;
            default:
                return false;
        }
        if (!TryTake(ref from, length, out var bytes)) return false;
        key = Encoding.UTF8.GetString(bytes);
        return true;
    }

    private static bool TryWriteText(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, ulong length)
    {
        if (!TryTake(ref from, length, out var bytes)) return false;
        json.WriteStringValue(Encoding.UTF8.GetString(bytes));
        return true;
    }

    private static bool TryPassOver(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, ulong length)
    {
        json.WriteNullValue();
        return TryTake(ref from, length, out _);
    }

    private static bool TryWriteSigned(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, int size)
    {
        if (!TryTakeNumber(ref from, size, out var bits)) return false;
        json.WriteNumberValue((long)(bits << 64 - 8 * size) >> 64 - 8 * size);
        return true;
    }

    private static bool TryWriteFraction(ref ReadOnlySpan<byte> from, Utf8JsonWriter json, bool isDouble)
    {
        if (!TryTake(ref from, isDouble ? 8u : 4u, out var bytes)) return false;
        var number = isDouble
            ? BinaryPrimitives.ReadDoubleBigEndian(bytes)
            : BinaryPrimitives.ReadSingleBigEndian(bytes);
        if (double.IsFinite(number)) json.WriteNumberValue(number);
        else json.WriteNullValue();
        return true;
    }

    private static bool TryTakeNumber(ref ReadOnlySpan<byte> from, int size, out ulong number)
    {
        number = 0;
        if (!TryTake(ref from, (ulong)size, out var bytes)) return false;
        foreach (var one in bytes) number = number << 8 | one;
        return true;
    }

    private static bool TryTake(ref ReadOnlySpan<byte> from, ulong length, out ReadOnlySpan<byte> bytes)
    {
        bytes = default;
        if (length > (ulong)from.Length) return false;
        bytes = from[..(int)length];
        from = from[(int)length..];
        return true;
    }
}
