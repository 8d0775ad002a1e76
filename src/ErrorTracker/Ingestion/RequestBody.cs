using System.IO.Compression;

namespace ErrorTracker.Ingestion;

/// <summary>Request bodies, inflated if they are compressed. Limits are the reader's, and hold for what comes out.</summary>
internal static class RequestBody
{
    public static bool CanDecode(HttpRequest request) => EncodingOf(request) is "" or "identity" or "gzip" or "x-gzip" or "br" or "deflate";

    /// <summary>To be disposed of; the request's own stream stays open.</summary>
    public static Stream Open(HttpRequest request) => EncodingOf(request) switch
    {
        "gzip" or "x-gzip" => new GZipStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "br" => new BrotliStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        "deflate" => new ZLibStream(request.Body, CompressionMode.Decompress, leaveOpen: true),
        _ => request.Body,
    };

    /// <summary>What a reader throws where a body is not compressed as its header says.</summary>
    public static bool IsBroken(Exception failure) => failure is InvalidDataException or InvalidOperationException;

    /// <summary>The whole body; null if it is longer than <paramref name="largest"/> bytes, of which at most one byte more is read.</summary>
    /// <exception cref="InvalidDataException">or another that <see cref="IsBroken"/> knows.</exception>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int largest, CancellationToken stop)
    {
        if (request.ContentLength > largest) return null;
        var body = Open(request);
        try
        {
            var buffer = new byte[(int)(request.ContentLength ?? 4096) + 1];
            for (var filled = 0; ;)
            {
                var read = await body.ReadAsync(buffer.AsMemory(filled), stop);
                if (read == 0) return buffer[..filled];
                if ((filled += read) > largest) return null;
                if (filled == buffer.Length) Array.Resize(ref buffer, Math.Min(buffer.Length * 2, largest + 1));
            }
        }
        finally
        {
            if (body != request.Body) await body.DisposeAsync();
        }
    }

    private static string EncodingOf(HttpRequest request) => request.Headers.ContentEncoding.ToString().Trim().ToLowerInvariant();
}
