using System.Buffers;

namespace ErrorTracker.Intake.Native;

/// <summary>A part of a batch.</summary>
/// <param name="Event">The bytes of one event, valid until the next part is read.</param>
/// <param name="Error">What is wrong with it instead.</param>
/// <param name="IsEnd">It is no event: the batch cannot be read further.</param>
internal readonly record struct BatchPart(Memory<byte> Event, string? Error = null, bool IsEnd = false);

/// <summary>
/// Splits a batch, a JSON array or lines of JSON, into its events while its bytes arrive. It keeps the event at hand only, and finds just where each one
/// ends: what it holds is the event parser's to judge. However the body is cut over reads, the parts are the same.
/// </summary>
internal sealed class BatchSplitter(bool lines, int largest)
{
    private enum At { Start, Element, End }

    private static readonly SearchValues<byte> Structure = SearchValues.Create("\"{}[],"u8), InText = SearchValues.Create("\"\\"u8), Blank = SearchValues.Create(" \t\r\n"u8);

    private byte[] _event = new byte[4096];
    private int _length;
    private long _size;
    private At _at = lines ? At.Element : At.Start;
    private int _depth, _marked;
    private bool _inText, _escaped, _isFirst = true, _isBroken;

    /// <summary>Bytes of memory that it holds.</summary>
    public int Capacity => _event.Length;

    /// <summary>Takes bytes from the input until a part is complete. False if the input is used up before.</summary>
    public bool TryRead(ref ReadOnlySpan<byte> input, out BatchPart part)
    {
        while (!input.IsEmpty && !_isBroken)
            if (_at == At.Element)
            {
                if (lines ? TakeLine(ref input) : TakeElement(ref input)) if (TryComplete(out part)) return true;
            }
            else if (_at == At.Start && _marked < EventBody.ByteOrderMark.Length && input[0] == EventBody.ByteOrderMark[_marked])
            {
                _marked++;
                input = input[1..];
            }
            else if (Blank.Contains(input[0]) && !IsInMark) input = input[1..];
            else if (_at == At.Start && input[0] == '[' && !IsInMark)
            {
                _at = At.Element;
                input = input[1..];
            }
            else return Break(_at == At.Start ? "must be a JSON array" : "goes on after its array", out part);
        part = default;
        return false;
    }

    /// <summary>What is left when the body has ended: a last line, or an array that is not closed.</summary>
    public bool TryFinish(out BatchPart part)
    {
        part = default;
        if (_isBroken || _at == At.End) return false;
        if (lines) return TryComplete(out part);
        return Break(_at == At.Start ? "must be a JSON array" : "is an array that is not closed", out part);
    }

    /// <summary>A part of a byte order mark is none.</summary>
    private bool IsInMark => _marked > 0 && _marked < EventBody.ByteOrderMark.Length;

    private bool Break(string error, out BatchPart part)
    {
        _isBroken = true;
        part = new(default, error, IsEnd: true);
        return true;
    }

    private bool TakeLine(ref ReadOnlySpan<byte> input)
    {
        var end = input.IndexOf((byte)'\n');
        Keep(input[..(end < 0 ? input.Length : end)]);
        input = input[(end < 0 ? input.Length : end + 1)..];
        return end >= 0;
    }

    private bool TakeElement(ref ReadOnlySpan<byte> input)
    {
        for (var position = 0; ;)
        {
            if (_escaped && position < input.Length) (_escaped, position) = (false, position + 1);
            var next = input[position..].IndexOfAny(_inText ? InText : Structure);
            if (next < 0)
            {
                Keep(input);
                input = [];
                return false;
            }
            position += next;
            var found = input[position];
            if (found == '"') _inText = !_inText;
            else if (found == '\\') _escaped = true;
            else if (found is (byte)'{' or (byte)'[') _depth++;
            else if (_depth == 0 && found is (byte)',' or (byte)']')
            {
                Keep(input[..position]);
                input = input[(position + 1)..];
                if (found == ']') _at = At.End;
                return true;
            }
            else if (found is (byte)'}' or (byte)']') _depth = Math.Max(0, _depth - 1);
            position++;
        }
    }

    private void Keep(ReadOnlySpan<byte> bytes)
    {
        _size += bytes.Length;
        if (_size > largest) return;
        if (_length + bytes.Length > _event.Length) Array.Resize(ref _event, Math.Max(_event.Length * 2, _length + bytes.Length));
        bytes.CopyTo(_event.AsSpan(_length));
        _length += bytes.Length;
    }

    /// <summary>An empty line is no event, and neither is what an empty array holds.</summary>
    private bool TryComplete(out BatchPart part)
    {
        var (kept, size, first) = (_event.AsMemory(0, _length), _size, _isFirst);
        (_length, _size, _isFirst) = (0, 0, false);
        part = size > largest ? new(default, "must not be larger than 1 MiB") : new(kept);
        return size > largest || (lines || (first && _at == At.End) ? kept.Span.ContainsAnyExcept(Blank) : true);
    }
}
