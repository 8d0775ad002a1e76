using System.IO.Compression;
using ErrorTracker.Intake;

namespace ErrorTracker.Tests.Intake;

public sealed class DecoderMemoryTests
{
    private const int Kibibyte = 1024, Mebibyte = 1024 * Kibibyte;

    /// <summary>
    /// What an encoder with that window writes is charged with that window, unless all of it is in one block.
    /// </summary>
    [Theory]
    [InlineData(10)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(22)]
    [InlineData(24)]
    public void brotli_is_charged_with_its_window(int windowLog)
    {
        var random = new byte[3 * Mebibyte];
        new Random(1).NextBytes(random);
        var sent = new byte[4 * Mebibyte];
        Assert.True(BrotliEncoder.TryCompress(random, sent, out var length, quality: 5, windowLog));
        Assert.Equal(1L << windowLog, DecoderMemory.Of("br", sent.AsSpan(0, length)) - DecoderMemory.Of("br", [0x3b]));

        Assert.True(BrotliEncoder.TryCompress(new byte[1000], sent, out length, quality: 5, windowLog));
        var small = DecoderMemory.Of("br", sent.AsSpan(0, length)) - DecoderMemory.Of("br", [0x3b]);
        Assert.InRange(small, 0, Math.Min(1 << windowLog, 2 * Kibibyte));
    }

    [Fact]
    public void large_windows_of_brotli_are_refused() =>
        Assert.Throws<InvalidDataException>(() => DecoderMemory.Of("br", [0x11, 0x19, 0, 0]));

    [Theory]
    [InlineData(10, 17)]
    [InlineData(17, 17)]
    [InlineData(19, 19)]
    [InlineData(23, 23)]
    public void zstd_is_charged_with_its_window(int windowLog, int expected)
    {
        var sent = new MemoryStream();
        using (var stream = new ZstdSharp.CompressionStream(sent, leaveOpen: true))
        {
            stream.SetParameter(ZstdSharp.Unsafe.ZSTD_cParameter.ZSTD_c_windowLog, windowLog);
            stream.Write(new byte[Mebibyte]);
        }
        Assert.Equal(expected, DecoderMemory.ZstdWindowLog(sent.ToArray()));
    }

    [Fact]
    public void a_frame_of_zstd_that_tells_its_size_is_charged_with_that()
    {
        using var compressor = new ZstdSharp.Compressor();
        Assert.Equal(17, DecoderMemory.ZstdWindowLog(compressor.Wrap(new byte[300])));
        Assert.Equal(20, DecoderMemory.ZstdWindowLog(compressor.Wrap(new byte[Mebibyte])));
    }

    /// <summary>8 MiB and an eighth, 2 GiB, and content of 9 MiB in one segment.</summary>
    [Theory]
    [InlineData("28b52ffd0069010000")]
    [InlineData("28b52ffd00a8010000")]
    [InlineData("28b52ffda000009000010000")]
    public void larger_windows_of_zstd_are_refused(string start) =>
        Assert.Throws<InvalidDataException>(() => DecoderMemory.Of("zstd", Convert.FromHexString(start)));

    /// <summary>Whatever the bytes are, the charge is bounded.</summary>
    [Fact]
    public void any_bytes_are_charged_or_refused()
    {
        var random = new Random(1);
        for (var i = 0; i < 20_000; i++)
        {
            var start = new byte[random.Next(DecoderMemory.LongestHeader + 1)];
            random.NextBytes(start);
            if (i % 2 == 0) Convert.FromHexString("28b52ffd").AsSpan(0, Math.Min(4, start.Length)).CopyTo(start);
            foreach (var encoding in new[] { "br", "zstd", "gzip" })
                try
                {
                    Assert.InRange(DecoderMemory.Of(encoding, start), 1, 20 * Mebibyte);
                }
                catch (InvalidDataException)
                {
                    // refused
                }
        }
    }
}
