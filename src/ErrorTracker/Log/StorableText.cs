using System.Buffers;
using System.Buffers.Text;
using System.Text;

namespace ErrorTracker.Log;

/// <summary>JSON allows escapes that name no text: U+0000 and lone surrogates. JSONB refuses both.</summary>
public static class StorableText
{
    private static ReadOnlySpan<byte> Replacement => "\\ufffd"u8;

    /// <summary>The same with U+FFFD for what is no UTF-8.</summary>
    public static byte[] ToUtf8(ReadOnlySpan<byte> bytes)
    {
        var text = new ArrayBufferWriter<byte>(bytes.Length + 16);
        while (true)
        {
            var at = bytes.IndexOfAnyExceptInRange((byte)0, (byte)0x7f);
            if (at < 0) break;
            text.Write(bytes[..at]);
            bytes = bytes[at..];
            if (Rune.DecodeFromUtf8(bytes, out _, out var length) == OperationStatus.Done) text.Write(bytes[..length]);
            else text.Write("\ufffd"u8);
            bytes = bytes[length..];
        }
        text.Write(bytes);
        return text.WrittenSpan.ToArray();
    }

    /// <summary>Replaces each such escape by U+FFFD, in place: the escapes are equally long.</summary>
    public static void Repair(Span<byte> json)
    {
        var at = 0;
        while (true)
        {
            var next = json[at..].IndexOf((byte)'\\');
            if (next < 0) return;
            at += next;
            var unit = Escaped(json[at..]);
            if (unit is null)
            {
                at = Math.Min(at + 2, json.Length);
                continue;
            }
            if (char.IsHighSurrogate((char)unit) && IsLowSurrogate(Escaped(json[(at + 6)..])))
            {
                at += 12;
                continue;
            }
            if (unit == 0 || char.IsSurrogate((char)unit)) Replacement.CopyTo(json[at..]);
            at += 6;
        }
    }

    /// <summary>All four must be digits: .NET's other parsers take NULs after a number for a part of it.</summary>
    private static ushort? Escaped(ReadOnlySpan<byte> json)
    {
        if (json.Length < 6 || json[0] != '\\' || json[1] != 'u') return null;
        var isNumber = Utf8Parser.TryParse(json.Slice(2, 4), out ushort unit, out var digits, 'x');
        return isNumber && digits == 4 ? unit : null;
    }

    private static bool IsLowSurrogate(ushort? unit) => unit is { } low && char.IsLowSurrogate((char)low);
}
