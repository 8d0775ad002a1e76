using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// Splits an envelope into its parts while its bytes arrive: a header line, then items, each a header line and a
/// payload. A payload with a <c>length</c> has exactly so many bytes, and <c>\n</c> or the end of the envelope follows
/// it; one without goes up to <c>\n</c>. <c>\r</c> belongs to the payload. Only payloads that are kept are held, so an
/// envelope costs the same however large the others are. Pure; however the body is cut over reads, the parts are the
/// same.
/// </summary>
internal sealed class EnvelopeReader(int largest = EventLimits.Largest)
{
    public const int LongestLine = 16 * 1024, MostItems = 10_000;

    /// <summary>The types of items that are kept.</summary>
    public const string
        Event = "event", ClientReport = "client_report", SecurityReport = "raw_security", NetworkReport = "nel";

    /// <summary>A header is flat but for a few members; a document costs its size times its depth to read.</summary>
    private static readonly JsonDocumentOptions Shallow = new() { MaxDepth = 16 };

    private enum At { Header, ItemHeader, Sized, Unsized, AfterSized, End }

    private static readonly SearchValues<byte>
        Blank = SearchValues.Create(" \t\r"u8),
        Empty = SearchValues.Create(" \t\r\n"u8);

    private byte[] _held = new byte[1024];
    private int _length, _items;
    private At _at = At.Header;
    private string _type = "";
    private ItemHeader _header;
    private long _left, _size;

    /// <summary>Bytes of memory that it holds.</summary>
    public int Capacity => _held.Length;

    private bool IsKept => _type is Event or ClientReport or SecurityReport or NetworkReport;

    /// <summary>Takes bytes from the input until a part is complete. False if the input is used up before.</summary>
    public bool TryRead(ref ReadOnlySpan<byte> input, out EnvelopePart part)
    {
        part = default;
        while (true)
            switch (_at)
            {
                case At.Header or At.ItemHeader:
                    if (_at == At.ItemHeader && _length == 0) SkipEmptyLines(ref input);
                    var isWhole = TakeLine(ref input, LongestLine, keeps: true);
                    if (_length > LongestLine) return Refuse(SentryRefusal.LongHeader, out part);
                    if (!isWhole) return false;
                    if (CompleteLine(out part)) return true;
                    break;
                case At.Unsized:
                    var before = input.Length;
                    isWhole = TakeLine(ref input, largest, IsKept);
                    _size += before - input.Length - (isWhole ? 1 : 0);
                    if (_length > largest) return Refuse(SentryRefusal.LargeEvent, out part);
                    return isWhole && CompleteItem(At.ItemHeader, out part);
                case At.Sized:
                    var taken = (int)Math.Min(_left, input.Length);
                    if (IsKept) Hold(input[..taken], largest);
                    input = input[taken..];
                    _left -= taken;
                    _size += taken;
                    return _left == 0 && CompleteItem(At.AfterSized, out part);
                case At.AfterSized when !input.IsEmpty:
                    if (input[0] != '\n') return Refuse(SentryRefusal.NoLineEnd, out part);
                    input = input[1..];
                    _at = At.ItemHeader;
                    break;
                default:
                    return false;
            }
    }

    /// <summary>The part that ends with the body, if there is one.</summary>
    public bool TryFinish(out EnvelopePart part)
    {
        part = default;
        switch (_at)
        {
            case At.Header when _length == 0:
                return Refuse(SentryRefusal.Empty, out part);
            case At.Header:
                return CompleteLine(out part);
            case At.ItemHeader:
                if (CompleteLine(out part)) return true;
                return _at switch
                {
                    At.Sized when _left > 0 => Refuse(SentryRefusal.CutOff, out part),
                    At.Sized or At.Unsized => CompleteItem(At.End, out part),
                    _ => false,
                };
            case At.Unsized:
                return CompleteItem(At.End, out part);
            case At.Sized:
                return Refuse(SentryRefusal.CutOff, out part);
            default:
                return false;
        }
    }

    /// <summary>
    /// True if the line makes a part: the envelope's header, or a refusal. An item's header makes none yet, and an
    /// empty line between items is nothing.
    /// </summary>
    private bool CompleteLine(out EnvelopePart part)
    {
        part = default;
        var line = _held.AsMemory(0, _length);
        _length = 0;
        if (_at == At.ItemHeader && !line.Span.ContainsAnyExcept(Blank)) return false;
        using var document = Parse(line);
        return _at == At.Header ? CompleteHeader(document, out part) : BeginItem(document, out part);
    }

    private bool CompleteHeader(JsonDocument? line, out EnvelopePart part)
    {
        if (line is not { RootElement: var header }) return Refuse(SentryRefusal.BadHeader, out part);
        _at = At.ItemHeader;
        part = new(EnvelopePartKind.Header, Text(header, "dsn"), Text(header, "event_id"));
        return true;
    }

    /// <summary>False if the item's payload can be read.</summary>
    private bool BeginItem(JsonDocument? line, out EnvelopePart part)
    {
        part = default;
        _items++;
        if (_items > MostItems) return Refuse(SentryRefusal.ManyItems, out part);
        if (line is not { RootElement: var header }) return Refuse(SentryRefusal.BadItemHeader, out part);
        if (Text(header, "type") is not { } type) return Refuse(SentryRefusal.BadItemHeader, out part);
        _type = type;
        _header = HeaderOf(header, type);
        _size = 0;
        _at = At.Unsized;
        if (!header.TryGetProperty("length", out var length) || length.ValueKind == JsonValueKind.Null) return false;
        if (length.ValueKind != JsonValueKind.Number || !length.TryGetInt64(out _left) || _left < 0)
            return Refuse(SentryRefusal.BadItemHeader, out part);
        _at = At.Sized;
        return IsKept && _left > largest && Refuse(SentryRefusal.LargeEvent, out part);
    }

    private bool CompleteItem(At next, out EnvelopePart part)
    {
        var payload = _held.AsMemory(0, _length);
        part = new(EnvelopePartKind.Item, Type: _type, Payload: payload, Header: _header, Size: _size);
        _length = 0;
        _at = next;
        return true;
    }

    private bool Refuse(IntakeRefusal refusal, out EnvelopePart part)
    {
        _at = At.End;
        part = EnvelopePart.Refuse(refusal);
        return true;
    }

    /// <summary>Skips them all at once: a body may be 100 MiB of them, which are 100 KB compressed.</summary>
    private static void SkipEmptyLines(ref ReadOnlySpan<byte> input)
    {
        var end = input.IndexOfAnyExcept(Empty);
        input = input[(end < 0 ? input.Length : end)..];
    }

    /// <summary>True if the line has ended. One byte more than may be held tells that it is too long.</summary>
    private bool TakeLine(ref ReadOnlySpan<byte> input, int most, bool keeps)
    {
        var end = input.IndexOf((byte)'\n');
        if (keeps) Hold(input[..(end < 0 ? input.Length : end)], most);
        input = input[(end < 0 ? input.Length : end + 1)..];
        return end >= 0;
    }

    private void Hold(ReadOnlySpan<byte> bytes, int most)
    {
        bytes = bytes[..Math.Min(bytes.Length, most + 1 - _length)];
        var length = _length + bytes.Length;
        if (length > _held.Length) Array.Resize(ref _held, Math.Max(Math.Min(_held.Length * 2, most + 1), length));
        bytes.CopyTo(_held.AsSpan(_length));
        _length = length;
    }

    /// <summary>Null if it is no JSON object.</summary>
    private static JsonDocument? Parse(Memory<byte> line)
    {
        if (!Utf8.IsValid(line.Span)) return null;
        StorableText.Repair(line.Span);
        try
        {
            var document = JsonDocument.Parse(line, Shallow);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
            return null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ItemHeader HeaderOf(JsonElement item, string type)
    {
        if (type == Unkept.Attachment) return new(1, Text(item, "attachment_type"), Text(item, "filename"));
        var tells = item.TryGetProperty("item_count", out var count) && count.ValueKind == JsonValueKind.Number;
        var things = tells && count.TryGetDouble(out var number) ? (int)Math.Clamp(number, 1, MostItems) : 1;
        return new(things, null, null);
    }

    private static string? Text(JsonElement header, string member) =>
        header.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}
