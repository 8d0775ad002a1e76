using System.Buffers;

namespace ErrorTracker.Intake.Native;

/// <summary>A part of a batch.</summary>
/// <param name="Event">The bytes of one event, valid until the next part is read.</param>
/// <param name="Error">What is wrong with it instead.</param>
/// <param name="IsEnd">It is no event: the batch cannot be read further.</param>
internal readonly record struct BatchPart(Memory<byte> Event, string? Error = null, bool IsEnd = false);

/// <summary>
/// Splits a batch, a JSON array or lines of JSON, into its events while its bytes arrive. It holds one event at a time,
/// and finds only where each one ends: what is between is the event parser's to judge. However the body is cut over
/// reads, the parts are the same.
/// </summary>
internal sealed class BatchSplitter(bool lines, int largest)
{
    private enum At { Start, Event, AfterArray, Broken }

    private const string NoArray = "must be a JSON array";

    private static readonly SearchValues<byte>
        Structure = SearchValues.Create("\"{}[],"u8),
        InText = SearchValues.Create("\"\\"u8),
        Blank = SearchValues.Create(" \t\r\n"u8);

    private byte[] _event = new byte[4096];
    private int _length;
    private long _size;
    private At _at = lines ? At.Event : At.Start;
    private int _depth, _marked;
    private bool _inText, _isEscaped, _isFirst = true;

    /// <summary>Bytes of memory that it holds.</summary>
    public int Capacity => _event.Length;

    /// <summary>Some bytes of a byte order mark were read, and others must follow.</summary>
    private bool IsInsideMark => _marked > 0 && _marked < JsonText.ByteOrderMark.Length;

    /// <summary>Takes bytes from the input until a part is complete. False if the input is used up before.</summary>
    public bool TryRead(ref ReadOnlySpan<byte> input, out BatchPart part)
    {
        part = default;
        while (!input.IsEmpty)
            switch (_at)
            {
                case At.Start:
                    if (!TryBegin(ref input)) return Break(NoArray, out part);
                    break;
                case At.Event:
                    var isComplete = lines ? TakeLine(ref input) : TakeElement(ref input);
                    if (isComplete && TryComplete(out part)) return true;
                    break;
                case At.AfterArray:
                    SkipBlanks(ref input);
                    if (!input.IsEmpty) return Break("goes on after its array", out part);
                    break;
                default:
                    return false;
            }
        return false;
    }

    /// <summary>What is left when the body has ended: a last line, or an array that is not closed.</summary>
    public bool TryFinish(out BatchPart part)
    {
        part = default;
        return _at switch
        {
            At.Start => Break(NoArray, out part),
            At.Event when lines => TryComplete(out part),
            At.Event => Break("is an array that is not closed", out part),
            _ => false,
        };
    }

    private bool Break(string error, out BatchPart part)
    {
        _at = At.Broken;
        part = new(default, error, IsEnd: true);
        return true;
    }

    /// <summary>
    /// Passes over what may stand before the array, blanks and a byte order mark, and takes the bracket that begins it.
    /// False if something else is found.
    /// </summary>
    private bool TryBegin(ref ReadOnlySpan<byte> input)
    {
        while (!input.IsEmpty)
        {
            var next = input[0];
            var isMark = _marked < JsonText.ByteOrderMark.Length && next == JsonText.ByteOrderMark[_marked];
            if (!isMark && (IsInsideMark || (next != '[' && !Blank.Contains(next)))) return false;
            input = input[1..];
            if (isMark) _marked++;
            if (next != '[') continue;
            _at = At.Event;
            return true;
        }
        return true;
    }

    private static void SkipBlanks(ref ReadOnlySpan<byte> input)
    {
        var end = input.IndexOfAnyExcept(Blank);
        input = end < 0 ? [] : input[end..];
    }

    /// <summary>Keeps bytes up to the end of the line. True if that was found, and taken.</summary>
    private bool TakeLine(ref ReadOnlySpan<byte> input)
    {
        var end = input.IndexOf((byte)'\n');
        if (end < 0) return KeepAll(ref input);
        Keep(input[..end]);
        input = input[(end + 1)..];
        return true;
    }

    /// <summary>
    /// Keeps bytes up to the comma or bracket that ends the element. True if that was found, and taken.
    /// </summary>
    private bool TakeElement(ref ReadOnlySpan<byte> input)
    {
        var at = 0;
        while (true)
        {
            if (_isEscaped && at < input.Length)
            {
                _isEscaped = false;
                at++;
            }
            var next = input[at..].IndexOfAny(_inText ? InText : Structure);
            if (next < 0) return KeepAll(ref input);
            at += next;
            var found = input[at];
            if (EndsElement(found))
            {
                Keep(input[..at]);
                input = input[(at + 1)..];
                if (found == ']') _at = At.AfterArray;
                return true;
            }
            Follow(found);
            at++;
        }
    }

    /// <summary>In text only quotes and backslashes are looked for, so it needs no thought here.</summary>
    private bool EndsElement(byte found) => _depth == 0 && found is (byte)',' or (byte)']';

    /// <summary>Keeps track of where in the element the reader is.</summary>
    private void Follow(byte found)
    {
        switch (found)
        {
            case (byte)'"':
                _inText = !_inText;
                break;
            case (byte)'\\':
                _isEscaped = true;
                break;
            case (byte)'{' or (byte)'[':
                _depth++;
                break;
            case (byte)'}' or (byte)']':
                _depth = Math.Max(0, _depth - 1);
                break;
        }
    }

    private bool KeepAll(ref ReadOnlySpan<byte> input)
    {
        Keep(input);
        input = [];
        return false;
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _size += bytes.Length;
        if (_size > largest) return;
        var length = _length + bytes.Length;
        if (length > _event.Length) Array.Resize(ref _event, Math.Max(_event.Length * 2, length));
        bytes.CopyTo(_event.AsSpan(_length));
        _length = length;
    }

    /// <summary>Makes a part of what was kept. False for an empty line, and for what an empty array holds.</summary>
    private bool TryComplete(out BatchPart part)
    {
        var kept = _event.AsMemory(0, _length);
        var isTooLarge = _size > largest;
        var mayBeNothing = lines || (_isFirst && _at == At.AfterArray);
        _length = 0;
        _size = 0;
        _isFirst = false;
        part = isTooLarge ? new(default, "must not be larger than 1 MiB") : new(kept);
        return isTooLarge || !mayBeNothing || kept.Span.ContainsAnyExcept(Blank);
    }
}
