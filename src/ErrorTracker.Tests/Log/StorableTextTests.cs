using System.Text;
using System.Text.Json;
using ErrorTracker.Log;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Log;

public sealed class StorableTextTests
{
    [Theory]
    [InlineData("""  "a\u0000b"  """, """  "a\ufffdb"  """)]
    [InlineData("""  "\ud83d\ude00"  """, """  "\ud83d\ude00"  """)]
    [InlineData("""  "\uD83D"  """, """  "\ufffd"  """)]
    [InlineData("""  "\ude00\ud83d"  """, """  "\ufffd\ufffd"  """)]
    [InlineData("""  "\ud83d\ud83d\ude00"  """, """  "\ufffd\ud83d\ude00"  """)]
    [InlineData("""  "\\u0000"  """, """  "\\u0000"  """)]
    [InlineData("""  "\\\u0000"  """, """  "\\\ufffd"  """)]
    [InlineData("""  "\u00e9\u0001"  """, """  "\u00e9\u0001"  """)]
    [InlineData("""  "\u00""", """  "\u00""")]
    [InlineData("\"\\u000\0\"", "\"\\u000\0\"")]
    [InlineData("\"\\ud80\0\"", "\"\\ud80\0\"")]
    public void escapes_that_name_no_text_are_replaced_and_nothing_else(string json, string expected) =>
        Assert.Equal(expected, Repaired(json));

    private static readonly string[] Pieces =
        [@"\u0000", @"\ud83d", @"\ude00", @"\\", @"\""", @"\n", "u0000", "x", "é", @"\uD83D\uDE00", @"\u0041"];

    private static readonly byte[] PartsOfCharacters =
        [0x41, 0x80, 0xbf, 0xc2, 0xe2, 0x82, 0xac, 0xed, 0xa0, 0xf0, 0x9f, 0x92, 0xa5, 0xff];

    /// <summary>
    /// Whatever pieces a string is made of: what parsed before parses still, and holds neither U+0000 nor half a pair.
    /// </summary>
    [Property(MaxTest = 500)]
    public Property repaired_text_is_text() => Prop.ForAll(
        Gen.Elements(Pieces).ListOf().ToArbitrary(),
        pieces =>
        {
            var json = $"\"{string.Concat(pieces)}\"";
            using var document = JsonDocument.Parse(Repaired(json));
            var text = document.RootElement.GetString()!;
            return !text.Contains('\0') && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;
        });

    private static string Repaired(string json)
    {
        var bytes = Encoding.UTF8.GetBytes(json);
        StorableText.Repair(bytes);
        return Encoding.UTF8.GetString(bytes);
    }

    /// <summary>As .NET's own decoder replaces it.</summary>
    [Fact]
    public void what_is_no_utf_8_is_replaced()
    {
        var random = new Random(1);
        for (var i = 0; i < 2_000; i++)
        {
            var bytes = new byte[random.Next(20)];
            random.NextBytes(bytes);
            if (i % 2 == 0) random.GetItems(PartsOfCharacters, bytes);
            var utf8 = Encoding.UTF8;
            Assert.Equal(utf8.GetString(bytes), utf8.GetString(StorableText.ToUtf8(bytes)));
        }
    }
}
