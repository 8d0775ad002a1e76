using System.Text;
using ErrorTracker.Intake.Sentry;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class EnvelopeReaderTests
{
    private const int Largest = 40;

    [Theory]
    [InlineData("{}", "header")]
    [InlineData("{}\n", "header")]
    [InlineData("{\"dsn\":\"d\",\"event_id\":\"e\",\"sent_at\":7,\"new\":{}}\r\n\n\n", "header dsn=d event=e")]
    [InlineData("{}\n{\"type\":\"event\"}\n{\"a\":1}", "header", "event {\"a\":1}")]
    [InlineData("{}\n{\"type\":\"event\"}\n{\"a\":1}\r\n", "header", "event {\"a\":1}\r")]
    [InlineData("{}\n{\"type\":\"event\",\"length\":3}\n1\n2", "header", "event 1\n2")]
    [InlineData("{}\n{\"type\":\"event\",\"length\":3}\n1\n2\n\n{\"type\":\"new\"}\n", "header", "event 1\n2", "new ")]
    [InlineData(
        "{}\n{\"type\":\"event\",\"length\":null}\n1\n{\"type\":\"client_report\",\"length\":2}\n{}\n", "header",
        "event 1", "client_report {}")]
    [InlineData("{}\n{\"type\":\"attachment\",\"length\":0}\n\n{\"type\":\"event\",\"length\":0}", "header", "attachment ", "event ")]
    [InlineData(
        "{}\n{\"type\":\"attachment\",\"length\":6,\"filename\":\"m.dmp\"}\nMD\nMP\0\n{\"type\":\"event\"}", "header",
        "attachment ", "event ")]
    [InlineData("{}\n{\"type\":\"attachment\"}\nnot kept, however long it is: more than an event may have\n", "header", "attachment ")]
    [InlineData("", "refused: The body is empty.")]
    [InlineData("\n{}", "refused: The envelope's first line must be a JSON object.")]
    [InlineData("[]\n", "refused: The envelope's first line must be a JSON object.")]
    [InlineData(
        "{}\n{\"length\":1}\nx", "header",
        "refused: An item's header must be a line with a JSON object: type is a string, length a whole number of bytes or absent.")]
    [InlineData(
        "{}\n{\"type\":\"event\",\"length\":-1}\nx", "header",
        "refused: An item's header must be a line with a JSON object: type is a string, length a whole number of bytes or absent.")]
    [InlineData(
        "{}\n{\"type\":\"event\",\"length\":1.5}\nx", "header",
        "refused: An item's header must be a line with a JSON object: type is a string, length a whole number of bytes or absent.")]
    [InlineData("{}\n{\"type\":\"event\",\"length\":3}\n12", "header", "refused: The envelope ends before an item's length.")]
    [InlineData(
        "{}\n{\"type\":\"attachment\",\"length\":99999999999}\n12", "header",
        "refused: The envelope ends before an item's length.")]
    [InlineData(
        "{}\n{\"type\":\"event\",\"length\":1}\n12\n", "header", "event 1",
        "refused: An item is longer than its length: a line end must follow it.")]
    [InlineData("{}\n{\"type\":\"event\",\"length\":41}\n", "header", "refused: An event must not be larger than 1 MiB.")]
    [InlineData(
        "{}\n{\"type\":\"event\"}\n01234567890123456789012345678901234567890\n", "header",
        "refused: An event must not be larger than 1 MiB.")]
    [InlineData(
        "{}\n{\"type\":\"event\"}\n0123456789012345678901234567890123456789", "header",
        "event 0123456789012345678901234567890123456789")]
    public void an_envelope_has_a_header_and_items(string envelope, params string[] parts)
    {
        var bytes = Encoding.UTF8.GetBytes(envelope);
        Assert.Equal(parts, Parts(bytes, bytes.Length + 1));
        Assert.Equal(parts, Parts(bytes, 1));
    }

    [Fact]
    public void a_header_that_is_too_long_is_refused_before_it_ends() =>
        Assert.Equal(
            ["refused: A header line must not be longer than 16 KiB."],
            Parts([.. "{\"a\":\""u8, .. new byte[EnvelopeReader.LongestLine]], 1000));

    [Fact]
    public void a_payload_that_is_not_kept_takes_no_memory()
    {
        var reader = new EnvelopeReader();
        var input = "{}\n{\"type\":\"attachment\",\"length\":100000000}\n"u8;
        Assert.True(reader.TryRead(ref input, out _));
        Assert.False(reader.TryRead(ref input, out _));
        for (var i = 0; i < 100; i++)
        {
            input = new byte[1_000_000];
            reader.TryRead(ref input, out _);
        }
        Assert.True(reader.Capacity < 10_000);
    }

    private sealed record Item(string Type, byte[] Payload, bool HasLength);

    private static readonly Gen<Item> Items =
        from type in Gen.Elements("event", "client_report", "attachment", "new", "transaction")
        from payload in Gen.Elements<byte>(
            (byte)'{', (byte)'}', (byte)'"', (byte)'\r', (byte)'a', 0, 0xff, (byte)'\n').ArrayOf().Resize(Largest / 2)
        from hasLength in Gen.Elements(true, false)
        select new Item(type, hasLength ? payload : [.. payload.Where(b => b != '\n')], hasLength);

    /// <summary>Any valid envelope, however it is cut over reads: each item comes out as it went in.</summary>
    [Property(MaxTest = 500)]
    public Property a_valid_envelope_is_read_as_it_was_written_however_it_is_cut() =>
        Prop.ForAll(
            Items.ListOf().ToArbitrary(), Gen.Choose(1, 50).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(),
            (items, read, endsWithLine) =>
    {
        var envelope = new MemoryStream();
        envelope.Write("{\"event_id\":\"e\"}"u8);
        foreach (var item in items)
        {
            envelope.Write(
                Encoding.UTF8.GetBytes(
                    $"\n{{\"type\":\"{item.Type}\"{(item.HasLength ? $",\"length\":{item.Payload.Length}" : "")}}}\n"));
            envelope.Write(item.Payload);
        }
        if (endsWithLine) envelope.Write("\n"u8);
        var expected = items.Select(item =>
        {
            var isKept = item.Type is "event" or "client_report";
            return $"{item.Type} {(isKept ? Encoding.Latin1.GetString(item.Payload) : "")}";
        });
        return Parts(envelope.ToArray(), read).SequenceEqual(expected.Prepend("header event=e"));
    });

    /// <summary>Whatever the bytes are: nothing is thrown, and the parts are the same.</summary>
    [Property(MaxTest = 1000)]
    public Property any_bytes_are_read_alike_however_they_are_cut() => Prop.ForAll(
        Gen.Elements(
            "{", "}", "{}", "\n", "\r", "{\"type\":\"event\"}\n", "{\"type\":\"event\",\"length\":3}\n",
            "{\"type\":\"x\",\"length\":0}\n", "{\"type\":\"\\ud800\"}\n", "\u00ff", "abc",
            "\n\n").ArrayOf().Select(string.Concat).ToArbitrary(),
        Gen.Choose(1, 9).ToArbitrary(), Gen.Elements(true, false).ToArbitrary(), (body, read, isLatin) =>
    {
        var bytes = (isLatin ? Encoding.Latin1 : Encoding.UTF8).GetBytes("{}\n" + body);
        return Parts(bytes, read).SequenceEqual(Parts(bytes, bytes.Length + 1));
    });

    private static List<string> Parts(byte[] envelope, int read)
    {
        var (reader, parts) = (new EnvelopeReader(Largest), new List<string>());
        foreach (var bytes in envelope.Chunk(read))
        {
            ReadOnlySpan<byte> input = bytes;
            while (reader.TryRead(ref input, out var part)) parts.Add(Describe(part));
        }
        if (reader.TryFinish(out var last)) parts.Add(Describe(last));
        return parts;
    }

    private static string Describe(EnvelopePart part) => part.Kind switch
    {
        EnvelopePartKind.Header =>
            $"header{(part.Dsn is null ? "" : $" dsn={part.Dsn}")}{(part.EventId is null ? "" : $" event={part.EventId}")}",
        EnvelopePartKind.Item => $"{part.Type} {Encoding.Latin1.GetString(part.Payload.Span)}",
        _ => $"refused: {part.Refusal!.Text}",
    };
}
