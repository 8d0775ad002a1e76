using System.Buffers;
using ErrorTracker.Limits;

namespace ErrorTracker.Events;

/// <summary>
/// What pages of events may hold in memory, all at once, from when they are read from the database until their readers
/// have taken them. Applications share it: each may have as much as is left free, so one with many slow readers gets
/// half and the others still read.
/// </summary>
public sealed class PageMemory
{
    public const long Most = 64 * 1024 * 1024;

    private readonly FairShare _share = new(Most);

    internal long Taken => _share.Taken;

    internal Page NewPage(int applicationId) => new(_share, applicationId);
}

/// <summary>A page in pieces of memory, which are given back one by one as its reader takes them.</summary>
internal sealed class Page(FairShare share, int application) : IDisposable
{
    private const int PieceSize = 64 * 1024;

    private readonly Queue<byte[]> _pieces = [];
    private byte[] _last = [];
    private int _used = PieceSize;
    private long _reserved, _held;

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    /// <summary>
    /// Takes room for so many bytes more. False, and nothing taken, if the memory of pages is used up.
    /// </summary>
    public bool TryReserve(long bytes)
    {
        var missing = (Length + bytes + PieceSize - 1) / PieceSize * PieceSize - _reserved;
        if (missing <= 0) return true;
        if (!share.TryTake(application, missing)) return false;
        _reserved += missing;
        _held += missing;
        return true;
    }

    /// <summary>Appends bytes for which there is room.</summary>
    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        while (bytes.Length > 0)
        {
            if (_used == PieceSize) AddPiece();
            var part = bytes[..Math.Min(bytes.Length, PieceSize - _used)];
            part.CopyTo(_last.AsSpan(_used));
            _used += part.Length;
            bytes = bytes[part.Length..];
        }
    }

    /// <summary>Writes the page to its reader.</summary>
    public async Task SendAsync(Stream reader, CancellationToken stop)
    {
        while (_pieces.TryPeek(out var piece))
        {
            await reader.WriteAsync(piece.AsMemory(0, _pieces.Count == 1 ? _used : PieceSize), stop);
            ArrayPool<byte>.Shared.Return(_pieces.Dequeue());
            Return(PieceSize);
        }
    }

    public void Dispose()
    {
        while (_pieces.TryDequeue(out var piece)) ArrayPool<byte>.Shared.Return(piece);
        if (_held > 0) Return(_held);
    }

    private void Return(long bytes)
    {
        share.Return(application, bytes);
        _held -= bytes;
    }

    private void AddPiece()
    {
        _pieces.Enqueue(_last = ArrayPool<byte>.Shared.Rent(PieceSize));
        _used = 0;
    }
}
