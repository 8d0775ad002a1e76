using System.Buffers;
using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What SDKs send that is almost JSON, or JSON that costs too much to read. Pure.</summary>
internal static class JsonRepair
{
    private static readonly SearchValues<byte> Interesting = SearchValues.Create("\"NI-"u8);

    /// <summary>Python writes the tokens NaN, Infinity and -Infinity, which JSON has not: the same with each of them between quotes.</summary>
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

    /// <summary>The same with null for all that is nested deeper than so many levels: what a document of it costs to read grows with its depth. As it is if it is no JSON.</summary>
    public static byte[] Prune(byte[] json, int most)
    {
        var (pruned, kept) = (new ArrayBufferWriter<byte>(), 0);
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = json.Length + 1 });
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType is not (JsonTokenType.StartObject or JsonTokenType.StartArray) || reader.CurrentDepth < most) continue;
                pruned.Write(json.AsSpan(kept, (int)reader.TokenStartIndex - kept));
                pruned.Write("null"u8);
                reader.Skip();
                kept = (int)reader.BytesConsumed;
            }
        }
        catch (JsonException)
        {
            return json;
        }
        pruned.Write(json.AsSpan(kept));
        return pruned.WrittenSpan.ToArray();
    }
}
