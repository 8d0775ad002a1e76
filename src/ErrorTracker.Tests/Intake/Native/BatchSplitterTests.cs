using System.Text;
using ErrorTracker.Intake.Native;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Intake.Native;

public sealed class BatchSplitterTests
{
    private const int Largest = 40;

    [Theory]
    [InlineData("""[{"a":[1,2,"],}"]}, {"b":"\\\"" } ]""", """{"a":[1,2,"],}"]}""", """{"b":"\\\"" }""")]
    [InlineData(" [ ] \n")]
    [InlineData("[{}]", "{}")]
    [InlineData("[1,,2]", "1", "", "2")]
    [InlineData("[{},]", "{}", "")]
    [InlineData("[{}", "end: is an array that is not closed")]
    [InlineData("[{},{\"a\":\"", "{}", "end: is an array that is not closed")]
    [InlineData("[{}] x", "{}", "end: goes on after its array")]
    [InlineData("""[{"a":]}, {"b":[1}]}, {}]""", """{"a":]}""", """{"b":[1}]}""", "{}")]
    [InlineData("""[{"a":[}, {}]""", "end: is an array that is not closed")]
    [InlineData("", "end: must be a JSON array")]
    [InlineData("{}", "end: must be a JSON array")]
    [InlineData("""["0123456789012345678901234567890123456789", 7]""", "error: must not be larger than 1 MiB", "7")]
    public void an_array_is_split_into_its_elements(string body, params string[] parts) =>
        Assert.Equal(parts, Split(body, lines: false, body.Length + 1));

    [Theory]
    [InlineData("{}\r\n\n  \n{\"a\":\"\\n\"}", "{}", "{\"a\":\"\\n\"}")]
    [InlineData("")]
    [InlineData("\n0123456789012345678901234567890123456789 \n7\n", "error: must not be larger than 1 MiB", "7")]
    public void lines_are_split_at_their_ends(string body, params string[] parts) =>
        Assert.Equal(parts, Split(body, lines: true, body.Length + 1));

    /// <summary>
    /// Whatever the bytes are and however they arrive: nothing is thrown, and the parts are the same.
    /// </summary>
    [Property(MaxTest = 1000)]
    public Property any_body_is_split_alike_however_it_is_read() => Prop.ForAll(
        Gen.Elements(
            "{", "}", "[", "]", ",", "\"", "\\", "\n", " ", "a", "\"a\":1", "{\"b\":[]}",
            "0123456789").ArrayOf().Select(string.Concat).Select(body => "[" + body).ToArbitrary(),
        Gen.Choose(1, 7).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(),
        (body, read, lines) => Split(body, lines, read).SequenceEqual(Split(body, lines, body.Length + 1)));

    [Theory]
    [InlineData(3, "{}")]
    [InlineData(2, "end: must be a JSON array")]
    [InlineData(1, "end: must be a JSON array")]
    public void only_a_whole_byte_order_mark_may_come_first(int bytes, string part) =>
        Assert.Equal([part], Split([.. "\ufeff"u8[..bytes], .. "[{}]"u8], lines: false, read: 1));

    private static List<string> Split(string body, bool lines, int read) => Split(Encoding.UTF8.GetBytes(body), lines, read);

    private static List<string> Split(byte[] body, bool lines, int read)
    {
        var (splitter, parts) = (new BatchSplitter(lines, Largest), new List<string>());
        foreach (var bytes in body.Chunk(read))
        {
            ReadOnlySpan<byte> input = bytes;
            while (splitter.TryRead(ref input, out var part)) parts.Add(Describe(part));
        }
        if (splitter.TryFinish(out var last)) parts.Add(Describe(last));
        return parts;
    }

    private static string Describe(BatchPart part) =>
        part.Error is null ? Encoding.UTF8.GetString(part.Event.Span).Trim() : $"{(part.IsEnd ? "end" : "error")}: {part.Error}";
}
