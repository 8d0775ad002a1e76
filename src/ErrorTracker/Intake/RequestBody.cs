using System.Buffers;
using System.IO.Compression;
using ZstdSharp;
using ZstdSharp.Unsafe;

namespace ErrorTracker.Intake;

/// <summary>
/// Opens the bodies of requests, compressed or not. How much of one is read is its reader's to limit.
/// </summary>
internal static class RequestBody
{
    /// <summary>Compressed bodies of so many bytes are awaited before they are inflated.</summary>
    private const int LargestAwaited = 64 * 1024;

    public static bool CanDecode(HttpRequest request) =>
        EncodingOf(request) is "" or "identity" or "gzip" or "x-gzip" or "br" or "deflate";

    /// <summary>In lower case; empty if the body is sent as it is.</summary>
    public static string EncodingOf(HttpRequest request) =>
        request.Headers.ContentEncoding is { Count: > 0 } encoding ? encoding.ToString().Trim().ToLowerInvariant() : "";

    /// <summary>
    /// Opens the body to be read, inflated. The decoder's memory is taken from the budget until the body is closed;
    /// null if there is not enough. A small compressed body is awaited before it is opened, so that its decoder does
    /// not hold memory while the network is slow.
    /// </summary>
    /// <exception cref="InvalidDataException">It asks for a window that is not supported.</exception>
    public static ValueTask<OpenBody?> OpenAsync(HttpRequest request, RequestBudget budget, CancellationToken stop)
    {
        var encoding = EncodingOf(request);
        return encoding is "" or "identity"
            ? new(new OpenBody(request.Body, budget))
            : OpenDecoderAsync(encoding, request, budget, stop);
    }

    private static async ValueTask<OpenBody?> OpenDecoderAsync(
        string encoding, HttpRequest request, RequestBudget budget, CancellationToken stop)
    {
        var isSmall = request.ContentLength is > 0 and <= LargestAwaited;
        var taken = isSmall ? request.ContentLength!.Value : DecoderMemory.LongestHeader;
        if (!budget.TryTake(taken)) return null;
        try
        {
            var sent = (await request.BodyReader.ReadAtLeastAsync((int)taken, stop)).Buffer;
            var start = sent.Slice(0, Math.Min(sent.Length, DecoderMemory.LongestHeader)).ToArray();
            request.BodyReader.AdvanceTo(sent.Start);
            var memory = DecoderMemory.Of(encoding, start);
            if (budget.TryTake(memory))
            {
                taken += memory;
                var decoder = Decoder(encoding, request.BodyReader.AsStream(leaveOpen: true), start);
                return new OpenBody(decoder, budget, taken);
            }
            budget.Return(taken);
            return null;
        }
        catch
        {
            budget.Return(taken);
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
    /// RFC 9110 calls the zlib format deflate. Some senders leave the two bytes of its header out; RFC 1950 says how to
    /// recognise them.
    /// </summary>
    private static bool HasZlibHeader(ReadOnlySpan<byte> start) =>
        start is [var method, var check, ..] && (method & 0x0f) == 8 && (method << 8 | check) % 31 == 0;

    /// <summary>
    /// Why a body could not be read to its end, for its sender; null if that is not the sender's fault.
    /// </summary>
    public static string? FaultOf(Exception failure) => failure switch
    {
        InvalidDataException or InvalidOperationException => NotCompressed,

        // zlib asks for a dictionary: its exception has no public type.
        IOException { Source: "System.IO.Compression" } => NotCompressed,

        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => "arrived too slowly",
        BadHttpRequestException => NotFramed,

        // A chunk's size is larger than any number that the web server reads.
        IOException { InnerException: OverflowException } => NotFramed,
        _ => null,
    };

    private const string
        NotCompressed = "is not compressed as Content-Encoding says",
        NotFramed = "is not framed as its headers say";
}
