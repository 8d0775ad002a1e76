using System.Buffers;

namespace ErrorTracker.Sentry;

/// <summary>Python writes NaN, Infinity and -Infinity into JSON, which has no such tokens.</summary>
internal static class BareNumbers
{
    private static readonly SearchValues<byte> Interesting = SearchValues.Create("\"NI-"u8);

    /// <summary>The same with each such token between quotes. Pure.</summary>
    public static byte[] Quote(ReadOnlySpan<byte> json)
    {
        var quoted = new ArrayBufferWriter<byte>(json.Length + 16);
        while (json.IndexOfAny(Interesting) is var at and >= 0)
        {
            var token = TokenAt(json[at..]);
            quoted.Write(json[..at]);
            json = json[at..];
            if (token == 0) token = json[0] == '"' ? TextLength(json) : 1;
            else quoted.Write("\""u8);
            quoted.Write(json[..token]);
            if (json[0] != '"' && token > 1) quoted.Write("\""u8);
            json = json[token..];
        }
        quoted.Write(json);
        return quoted.WrittenSpan.ToArray();
    }

    private static int TokenAt(ReadOnlySpan<byte> json) => json.StartsWith("NaN"u8) ? 3 : json.StartsWith("Infinity"u8) ? 8 : json.StartsWith("-Infinity"u8) ? 9 : 0;

    /// <summary>Of a text with its quotes; up to the end if it is not closed.</summary>
    private static int TextLength(ReadOnlySpan<byte> json)
    {
        for (var at = 1; json[at..].IndexOfAny((byte)'"', (byte)'\\') is var next and >= 0;)
        {
            at += next;
            if (json[at] == '"') return at + 1;
            at = Math.Min(at + 2, json.Length);
        }
        return json.Length;
    }
}
