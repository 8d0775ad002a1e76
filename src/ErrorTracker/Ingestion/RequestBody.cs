using System.Buffers;
using System.IO.Compression;
using System.IO.Pipelines;
using ErrorTracker.Http;

namespace ErrorTracker.Ingestion;

/// <summary>Request bodies, inflated if they are compressed. Limits are the reader's, and hold for what comes out.</summary>
internal static class RequestBody
{
    private const int FirstBuffer = 16 * 1024;

    public static bool CanDecode(HttpRequest request) => EncodingOf(request) is "" or "identity" or "gzip" or "x-gzip" or "br" or "deflate";

    /// <summary>To be disposed of; the request's own stream stays open.</summary>
    public static async ValueTask<Stream> OpenAsync(HttpRequest request, CancellationToken stop) => EncodingOf(request) switch
    {
        "gzip" or "x-gzip" => new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "br" => new BrotliStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "deflate" => await HasZlibHeaderAsync(request.BodyReader, stop)
            ? new ZLibStream(request.BodyReader.AsStream(leaveOpen: true), CompressionMode.Decompress)
            : new DeflateStream(request.BodyReader.AsStream(leaveOpen: true), CompressionMode.Decompress),
        _ => request.Body,
    };

    /// <summary>RFC 9110 means the zlib format; some senders leave its two bytes of header out, and RFC 1950 tells by them.</summary>
    private static async ValueTask<bool> HasZlibHeaderAsync(PipeReader body, CancellationToken stop)
    {
        var start = (await body.ReadAtLeastAsync(2, stop)).Buffer;
        var header = start.Length < 2 ? [] : start.Slice(0, 2).ToArray();
        body.AdvanceTo(start.Start);
        return header is [var method, var check] && (method & 0x0f) == 8 && (method << 8 | check) % 31 == 0;
    }

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
        var (body, stream) = (new PooledBody(), request.Body);
        try
        {
            stream = await OpenAsync(request, stop);
            for (var wanted = (int)Math.Min(request.ContentLength + 1 ?? FirstBuffer, FirstBuffer); ; wanted = Math.Min(body.Capacity * 2, largest + 1))
            {
                if (!room.TryTake(wanted - body.Capacity)) return Refuse(Refusal.Busy(request.HttpContext.Response));
                body.Grow(wanted);
                while (body.Length < body.Capacity)
                {
                    var read = await stream.ReadAsync(body.Free, stop);
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
        finally
        {
            if (stream != request.Body) await stream.DisposeAsync();
        }

        (PooledBody?, IResult?) Refuse(IResult refusal)
        {
            body.Dispose();
            return (null, refusal);
        }
    }

    private static IResult TooLarge => Refusal.Of(413, "The body must not be larger than 1 MiB.");

    private static string EncodingOf(HttpRequest request) => request.Headers.ContentEncoding is { Count: > 0 } encoding ? encoding.ToString().Trim().ToLowerInvariant() : "";
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
