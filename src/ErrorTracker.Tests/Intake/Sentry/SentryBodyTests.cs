using System.Text;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Tests.Abuse;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SentryBodyTests(SharedApi shared) : SdkRequests(shared)
{
    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("identity")]
    public async Task bodies_are_inflated(string encoding)
    {
        var sender = await Api.RegisterAsync();
        var body = Encoding.UTF8.GetBytes(Envelope());
        var sent = encoding switch
        {
            "zstd" => Zstd(body),
            "identity" => body,
            _ => Compression.Deflate(encoding, body),
        };
        await AcceptedAsync(await PostAsync(sender, sent, encoding: encoding));
        Assert.Equal("boom", (await SingleAsync(sender)).GetProperty("message").GetString());
        if (encoding != "identity") await RefusedAsync(await PostAsync(sender, sent[..^3], encoding: encoding), 400);
    }

    [Theory]
    [InlineData("gzip", 400)]
    [InlineData("zstd", 400)]
    [InlineData("br", 400)]
    [InlineData("deflate", 400)]
    [InlineData("compress", 415)]
    [InlineData("gzip, gzip", 415)]
    public async Task what_is_not_compressed_as_it_says_is_refused(string encoding, int expected) =>
        await RefusedAsync(await PostAsync(await Api.RegisterAsync(), Encoding.UTF8.GetBytes(Envelope()), encoding: encoding), expected);

    /// <summary>A window of 2 GiB, asked for in a frame's first bytes.</summary>
    [Fact]
    public async Task a_zstd_window_that_needs_much_memory_is_refused()
    {
        byte[] header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00];
        await RefusedAsync(await PostAsync(await Api.RegisterAsync(), header, encoding: "zstd"), 400);
    }

    [Fact]
    public async Task what_is_inflated_beyond_100_mebibytes_is_refused()
    {
        var body = Compression.Deflate(
            "gzip",
            [.. Encoding.UTF8.GetBytes(
                $"{{}}\n{{\"type\":\"attachment\",\"length\":{SentryBody.LargestInflated}}}\n"), .. new byte[SentryBody.LargestInflated]]);
        await RefusedAsync(await PostAsync(await Api.RegisterAsync(), body, encoding: "gzip"), 413);
    }

    private static byte[] Zstd(byte[] body)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(body).ToArray();
    }
}
