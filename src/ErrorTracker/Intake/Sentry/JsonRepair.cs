using System.Buffers;
using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What SDKs send that is almost JSON, or JSON that costs too much to read. Pure.</summary>
internal static class JsonRepair
{
    private static readonly SearchValues<byte> Interesting = SearchValues.Create("\"NI-"u8);

    /// <summary>
    /// Puts the tokens NaN, Infinity and -Infinity between quotes: Python writes them, and JSON does not have them.
    /// </summary>
    public static byte[] Quote(ReadOnlySpan<byte> json)
    {
        var quoted = new ArrayBufferWriter<byte>(json.Length + 16);
        while (true)
        {
            var at = json.IndexOfAny(Interesting);
            if (at < 0) break;
            quoted.Write(json[..at]);
            json = json[at..];
            var token = TokenLength(json);
            if (token > 0)
            {
                quoted.Write("\""u8);
                quoted.Write(json[..token]);
                quoted.Write("\""u8);
                json = json[token..];
                continue;
            }
            var other = json[0] == '"' ? TextLength(json) : 1;
            quoted.Write(json[..other]);
            json = json[other..];
        }
        quoted.Write(json);
        return quoted.WrittenSpan.ToArray();
    }

    /// <summary>The length of the token that the JSON begins with; 0 if it begins with none of the three.</summary>
    private static int TokenLength(ReadOnlySpan<byte> json)
    {
        if (json.StartsWith("NaN"u8)) return "NaN".Length;
        if (json.StartsWith("Infinity"u8)) return "Infinity".Length;
        return json.StartsWith("-Infinity"u8) ? "-Infinity".Length : 0;
    }

    /// <summary>The length of a text with its quotes; up to the end if it is not closed.</summary>
    private static int TextLength(ReadOnlySpan<byte> json)
    {
        var at = 1;
        while (true)
        {
            var next = json[at..].IndexOfAny((byte)'"', (byte)'\\');
            if (next < 0) return json.Length;
            at += next;
            if (json[at] == '"') return at + 1;
            at = Math.Min(at + 2, json.Length);
        }
    }

    /// <summary>
    /// Puts null in the place of all that is nested deeper than so many levels: what a document costs to read grows
    /// with its depth. What is no JSON is returned as it is.
    /// </summary>
    public static byte[] Prune(byte[] json, int most)
    {
        var pruned = new ArrayBufferWriter<byte>();
        var kept = 0;
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = json.Length + 1 });
        try
        {
            while (reader.Read())
            {
                var begins = reader.TokenType is JsonTokenType.StartObject or JsonTokenType.StartArray;
                if (!begins || reader.CurrentDepth < most) continue;
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
