using System.IO.Compression;

namespace ErrorTracker.Tests.Abuse;

/// <summary>Bodies as Content-Encoding names them.</summary>
internal static class Compression
{
    public static readonly string[] Encodings = ["gzip", "x-gzip", "br", "deflate"];

    /// <param name="isRaw">Of deflate: without the header and the checksum of zlib.</param>
    public static byte[] Deflate(string encoding, byte[] body, bool isRaw = false)
    {
        using var output = new MemoryStream();
        using (Stream stream = encoding switch
        {
            "br" => new BrotliStream(output, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" when isRaw => new DeflateStream(output, CompressionLevel.Fastest, leaveOpen: true),
            "deflate" => new ZLibStream(output, CompressionLevel.Fastest, leaveOpen: true),
            _ => new GZipStream(output, CompressionLevel.Fastest, leaveOpen: true),
        }) stream.Write(body);
        return output.ToArray();
    }

    /// <summary>What comes out, and whether that was the whole.</summary>
    public static (byte[] Body, bool IsWhole) Inflate(string encoding, byte[] sent)
    {
        if (encoding is "" or "identity") return (sent, true);
        using var output = new MemoryStream();
        using Stream stream = encoding switch
        {
            "br" => new BrotliStream(new Trickle(sent), CompressionMode.Decompress),
            "deflate" when HasZlibHeader(sent) => new ZLibStream(new Trickle(sent), CompressionMode.Decompress),
            "deflate" => new DeflateStream(new Trickle(sent), CompressionMode.Decompress),
            _ => new GZipStream(new Trickle(sent), CompressionMode.Decompress),
        };
        try
        {
            for (int next; (next = stream.ReadByte()) >= 0;) output.WriteByte((byte)next);
            return (output.ToArray(), true);
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException)
        {
            return (output.ToArray(), false);
        }
    }

    /// <summary>RFC 1950: the method is 8, and the two bytes are a multiple of 31.</summary>
    private static bool HasZlibHeader(byte[] sent) => sent.Length >= 2 && sent[0] % 16 == 8 && (sent[0] * 256 + sent[1]) % 31 == 0;

    /// <summary>A byte a time: of a broken body no more can come out than of this.</summary>
    private sealed class Trickle(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(1, count));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(1, buffer.Length)]);
    }
}
