using System.IO.Compression;
using System.Net;
using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Tests.Hosting;
using Xunit.Abstractions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>Bodies that are larger than they say, or than they look: refused before they cost anything.</summary>
[Collection(nameof(OnPostgres))]
public sealed class BodyLimitTests(AbusedHost abused, ITestOutputHelper output) : IClassFixture<AbusedHost>
{
    private const long Mebibyte = 1024 * 1024;

    private HostProcess Host => abused.Host;

    [Theory]
    [InlineData("events")]
    [InlineData("events/batch")]
    public async Task a_body_of_unknown_length_that_gets_too_large_is_a_413(string path)
    {
        using var request = AbusedHost.Post(
            await Host.RegisterAsync(), path, Encoding.ASCII.GetBytes('[' + new string(' ', 17 * (int)Mebibyte)));
        request.Headers.TransferEncodingChunked = true;
        using var answer = await Host.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Theory]
    [InlineData("events")]
    [InlineData("events/batch")]
    public async Task a_chunk_larger_than_numbers_are_is_a_400(string path)
    {
        var sender = await Host.RegisterAsync();
        using var connection = await RawConnection.OpenAsync(Host.Http.BaseAddress!);
        var answer = await connection.ExchangeAsync(
            Encoding.ASCII.GetBytes(
                $"POST /apps/{sender.Id}/{path} HTTP/1.1\r\nHost: localhost\r\n{NativeIntake.KeyHeader}: "
                + $"{sender.Key}\r\nContent-Type: {MediaType.Json}\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n"
                + $"{{}}"));
        Assert.Equal((400, "body"), (answer!.Status, string.Join(',', answer.Faults)));
    }

    /// <summary>A gibibyte in less than a mebibyte: members of gzip, one after another, are one file.</summary>
    [Theory]
    [InlineData("events", " ")]
    [InlineData("events/batch", " ")]
    [InlineData("events/batch", "[")]
    [InlineData("events/batch", "{\"a\":")]
    public async Task a_bomb_is_refused_before_it_grows(string path, string unit)
    {
        var sender = await Host.RegisterAsync();
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.SmallestSize, leaveOpen: true))
            gzip.Write(
                Encoding.ASCII.GetBytes(
                    new StringBuilder().Insert(0, unit, 16 * (int)Mebibyte / unit.Length).ToString()));
        var bomb = Enumerable.Repeat(member.ToArray(), 60).SelectMany(bytes => bytes).ToArray();
        var before = Host.Resident;

        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            using var request = AbusedHost.Post(sender, path, bomb, encoding: "gzip");
            using var answer = await Host.Http.SendAsync(request).WaitAsync(TimeSpan.FromSeconds(60));
            Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        }));
        output.WriteLine($"8 bombs of {bomb.Length:N0} bytes: {(Host.Resident - before) / Mebibyte} MiB more");
        Assert.InRange(Host.Resident - before, long.MinValue, 128 * Mebibyte);
        Assert.Empty(await abused.MessagesAsync(sender));
    }
}
