using System.Buffers.Binary;
using System.Numerics;

namespace ErrorTracker.Intake;

/// <summary>
/// Bytes of memory that a decoder may take, by what the first bytes of the compressed body say. Pure.
/// </summary>
internal static class DecoderMemory
{
    /// <summary>So many first bytes are looked at: the longest header of a frame of zstd has as many.</summary>
    public const int LongestHeader = 18;

    /// <summary>
    /// The largest window of zstd, as a power of two: 8 MiB, which RFC 8878 asks decoders to support.
    /// </summary>
    public const int LargestZstdWindow = 23;

    private const int Kibibyte = 1024;

    /// <summary>A window of 32 KiB, its tables, and the stream's buffer.</summary>
    private const int Deflate = 64 * Kibibyte;

    /// <summary>256 trees each of literals, commands and distances, and the stream's buffer of 64 KiB.</summary>
    private const int BrotliState = 3 * 1024 * Kibibyte;

    /// <summary>Tables, literals, and a block each of 128 KiB read, waiting and written.</summary>
    private const int ZstdState = 640 * Kibibyte;

    /// <param name="start">The first <see cref="LongestHeader"/> bytes of the body, or all of a shorter one.</param>
    /// <exception cref="InvalidDataException">It asks for a window that is not supported.</exception>
    public static long Of(string encoding, ReadOnlySpan<byte> start) => encoding switch
    {
        "br" => BrotliState + BrotliRing(start),
        "zstd" => ZstdState + (1L << ZstdWindowLog(start)),
        _ => Deflate,
    };

    /// <summary>
    /// RFC 7932, 9.1 and 9.2. The decoder holds a window, or, if the first block is the last one, as much of it as that
    /// block has bytes.
    /// </summary>
    private static long BrotliRing(ReadOnlySpan<byte> start)
    {
        Span<byte> padded = stackalloc byte[sizeof(ulong)];
        start[..Math.Min(start.Length, padded.Length)].CopyTo(padded);
        var bits = new Bits(BinaryPrimitives.ReadUInt64LittleEndian(padded));
        var window = 1L << BrotliWindowLog(ref bits);
        if (bits.Take(1) == 0) return window;
        if (bits.Take(1) == 1) return 0;
        var nibbles = 4 + bits.Take(2);
        if (nibbles > 6) return window;
        var length = (uint)bits.Take(4 * nibbles) + 1;
        return Math.Min(window, BitOperations.RoundUpToPowerOf2(length));
    }

    private static int BrotliWindowLog(ref Bits bits)
    {
        if (bits.Take(1) == 0) return 16;
        var large = bits.Take(3);
        if (large > 0) return 17 + large;
        return bits.Take(3) switch
        {
            0 => 17,
            1 => throw new InvalidDataException("Large windows of brotli are no part of RFC 7932."),
            var small => 8 + small,
        };
    }

    /// <summary>
    /// RFC 8878, 3.1.1.1: the window of the first frame, but 128 KiB at least. Another frame may follow: the decoder is
    /// to take no larger window than this.
    /// </summary>
    public static int ZstdWindowLog(ReadOnlySpan<byte> start)
    {
        var window = ZstdWindow(start) ?? 1UL << LargestZstdWindow;
        if (window > 1UL << LargestZstdWindow)
            throw new InvalidDataException("The window of zstd is larger than 8 MiB.");
        return Math.Max(17, BitOperations.Log2(BitOperations.RoundUpToPowerOf2(window)));
    }

    /// <summary>Null if the body begins with no frame, or is shorter than a frame's header.</summary>
    private static ulong? ZstdWindow(ReadOnlySpan<byte> start)
    {
        if (start.Length < 6 || BinaryPrimitives.ReadUInt32LittleEndian(start) != 0xfd2fb528) return null;
        var descriptor = start[4];
        var isSingleSegment = (descriptor & 0x20) != 0;
        if (!isSingleSegment)
        {
            var unit = 1UL << (10 + (start[5] >> 3));
            return unit + unit / 8 * (uint)(start[5] & 7);
        }

        // The window of a single segment is the content's size.
        var size = start[Math.Min(5 + DictionaryIdLength(descriptor), start.Length)..];
        return (descriptor >> 6) switch
        {
            0 when size.Length >= 1 => size[0],
            1 when size.Length >= 2 => BinaryPrimitives.ReadUInt16LittleEndian(size) + 256UL,
            2 when size.Length >= 4 => BinaryPrimitives.ReadUInt32LittleEndian(size),
            3 when size.Length >= 8 => BinaryPrimitives.ReadUInt64LittleEndian(size),
            _ => null,
        };
    }

    private static int DictionaryIdLength(byte descriptor) =>
        (descriptor & 3) switch
        {
            3 => 4,
            var length => length,
        };

    /// <summary>Takes bits one after another, the lowest first.</summary>
    private struct Bits(ulong left)
    {
        public int Take(int count)
        {
            var taken = (int)(left & ((1UL << count) - 1));
            left >>= count;
            return taken;
        }
    }
}
