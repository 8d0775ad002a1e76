using System.Buffers;
using System.IO.Compression;
using ErrorTracker.Http;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ErrorTracker.Intake;

/// <summary>Request bodies, inflated if they are compressed. Limits are the reader's, and hold for what comes out.</summary>
internal static class RequestBody
{
    private const int FirstBuffer = 16 * 1024;

    /// <summary>Compressed bodies of so many bytes are awaited before they are inflated.</summary>
    private const int LargestAwaited = 64 * 1024;

    public static bool CanDecode(HttpRequest request) => EncodingOf(request) is "" or "identity" or "gzip" or "x-gzip" or "br" or "deflate";

    /// <summary>
    /// Opens the body to be read, inflated. What its decoder may take of memory is taken from the room until the body is closed;
    /// null if there is none. A small compressed body is awaited before, so that its decoder does not wait for the network.
    /// </summary>
    /// <exception cref="InvalidDataException">It asks for a window that is not supported.</exception>
    public static ValueTask<OpenBody?> OpenAsync(HttpRequest request, Room room, CancellationToken stop)
    {
        var encoding = EncodingOf(request);
        return encoding is "" or "identity" ? new(new OpenBody(request.Body, room)) : OpenDecoderAsync(encoding, request, room, stop);
    }

    private static async ValueTask<OpenBody?> OpenDecoderAsync(
        string encoding, HttpRequest request, Room room, CancellationToken stop)
    {
        var isSmall = request.ContentLength is > 0 and <= LargestAwaited;
        var taken = isSmall ? request.ContentLength!.Value : DecoderMemory.LongestHeader;
        if (!room.TryTake(taken)) return null;
        try
        {
            var sent = (await request.BodyReader.ReadAtLeastAsync((int)taken, stop)).Buffer;
            var start = sent.Slice(0, Math.Min(sent.Length, DecoderMemory.LongestHeader)).ToArray();
            request.BodyReader.AdvanceTo(sent.Start);
            var memory = DecoderMemory.Of(encoding, start);
            if (room.TryTake(memory))
            {
                taken += memory;
                return new OpenBody(Decoder(encoding, request.BodyReader.AsStream(leaveOpen: true), start), room, taken);
            }
            room.Return(taken);
            return null;
        }
        catch
        {
            room.Return(taken);
            throw;
        }
    }

    private static Stream Decoder(string encoding, Stream sent, ReadOnlySpan<byte> start) => encoding switch
    {
        "gzip" or "x-gzip" => new GZipStream(sent, CompressionMode.Decompress),
        "br" => new BrotliStream(sent, CompressionMode.Decompress),
        "zstd" => Zstd(sent, DecoderMemory.ZstdWindowLog(start)),
        _ when HasZlibHeader(start) => new ZLibStream(sent, CompressionMode.Decompress),
        _ => new DeflateStream(sent, CompressionMode.Decompress),
    };

    private static DecompressionStream Zstd(Stream sent, int windowLog)
    {
        var stream = new DecompressionStream(sent);
        stream.SetParameter(ZSTD_dParameter.ZSTD_d_windowLogMax, windowLog);
        return stream;
    }

    /// <summary>
    /// RFC 9110 means the zlib format; some senders leave its two bytes of header out, and RFC 1950 tells by them.
    /// </summary>
    private static bool HasZlibHeader(ReadOnlySpan<byte> start) =>
        start is [var method, var check, ..] && (method & 0x0f) == 8 && (method << 8 | check) % 31 == 0;

    /// <summary>Why a body could not be read to its end, for its sender; null if that is not the sender's fault.</summary>
    public static string? FaultOf(Exception failure) => failure switch
    {
        InvalidDataException or InvalidOperationException or IOException { Source: "System.IO.Compression" } => "is not compressed as Content-Encoding says", // the last has no public type: a dictionary is needed
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => "arrived too slowly",
        BadHttpRequestException or IOException { InnerException: OverflowException } => "is not framed as its headers say", // the latter is a chunk's size that no number holds
        _ => null,
    };

    /// <summary>Reads the whole body, at most <paramref name="largest"/> bytes and one, into a buffer that grows with what arrives.</summary>
    /// <param name="request">Whose body it is.</param>
    /// <param name="largest">In bytes.</param>
    /// <param name="room">What the buffer takes its memory from.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>The body, to be disposed of, or the answer that refuses it.</returns>
    public static async Task<(PooledBody? Body, IResult? Refusal)> ReadAsync(HttpRequest request, int largest, Room room, CancellationToken stop)
    {
        if (request.ContentLength > largest) return (null, TooLarge);
        var body = new PooledBody();
        try
        {
            if (await OpenAsync(request, room, stop) is not { } open) return Refuse(Busy());
            var wanted = (int)Math.Min(request.ContentLength + 1 ?? FirstBuffer, FirstBuffer);
            await using (open)
                for (; ; wanted = Math.Min(body.Capacity * 2, largest + 1))
                {
                    if (!room.TryTake(wanted - body.Capacity)) return Refuse(Busy());
                    body.Grow(wanted);
                    while (body.Length < body.Capacity)
                    {
                        var read = await open.ReadAsync(body.Free, body.Length, stop);
                        if (read == 0) return (body, null);
                        body.Length += read;
                    }
                    if (body.Length > largest) return Refuse(TooLarge);
                }
        }
        catch (Exception e)
        {
            body.Dispose();
            if (FaultOf(e) is not { } fault) throw;
            return (null, Refusal.Invalid("body", fault));
        }

        IResult Busy() => Refusal.Busy(request.HttpContext.Response);

        (PooledBody?, IResult?) Refuse(IResult refusal)
        {
            body.Dispose();
            return (null, refusal);
        }
    }

    private static IResult TooLarge => Refusal.Of(413, "The body must not be larger than 1 MiB.");

    /// <summary>In lower case; empty if the body is sent as it is.</summary>
    public static string EncodingOf(HttpRequest request) =>
        request.Headers.ContentEncoding is { Count: > 0 } encoding ? encoding.ToString().Trim().ToLowerInvariant() : "";
}

/// <summary>
/// A body that is being read. Closing it leaves the request's own stream open, and gives its decoder's memory back.
/// </summary>
/// <param name="memory">Bytes that the decoder has taken from the room; 0 without one.</param>
internal readonly struct OpenBody(Stream stream, Room room, long memory = 0) : IAsyncDisposable
{
    /// <summary>Inflating takes the request's turn, and waiting for the network leaves it.</summary>
    /// <param name="size">Bytes that were read before.</param>
    public ValueTask<int> ReadAsync(Memory<byte> into, long size, CancellationToken stop) =>
        memory == 0 ? BeginRead(into, stop) : InflateAsync(into, size, stop);

    private async ValueTask<int> InflateAsync(Memory<byte> into, long size, CancellationToken stop)
    {
        await room.TakeTurnAsync(size, stop);
        return await BeginRead(into, stop);
    }

    private ValueTask<int> BeginRead(Memory<byte> into, CancellationToken stop)
    {
        var reading = stream.ReadAsync(into, stop);
        if (!reading.IsCompleted) room.LeaveTurn();
        return reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (memory == 0) return;
        await stream.DisposeAsync();
        room.Return(memory);
    }
}

/// <summary>A body in a buffer that others use after it.</summary>
internal sealed class PooledBody : IDisposable
{
    private byte[] _buffer = [];

    /// <summary>As asked for; the pool's buffers are longer.</summary>
    public int Capacity { get; private set; }

    public int Length { get; set; }

    public Memory<byte> Bytes => _buffer.AsMemory(0, Length);

    public Memory<byte> Free => _buffer.AsMemory(Length, Capacity - Length);

    public void Grow(int capacity)
    {
        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        (_buffer, Capacity) = (larger, capacity);
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}
