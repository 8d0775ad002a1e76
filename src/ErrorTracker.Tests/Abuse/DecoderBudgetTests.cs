using System.Net;
using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Compressed bodies that ask for large windows, and large bodies, cost their application its share and no more.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class DecoderBudgetTests(SharedApi shared)
{
    private const int Many = 40;

    private TestApi Api => shared.Api;

    /// <summary>
    /// Each begins, asks for a window of 8 or 16 MiB, and does not go on until all others have begun.
    /// </summary>
    [Theory]
    [InlineData("events", "br", HttpStatusCode.ServiceUnavailable)]
    [InlineData("events/batch", "br", HttpStatusCode.ServiceUnavailable)]
    [InlineData("envelope/", "br", HttpStatusCode.TooManyRequests)]
    [InlineData("envelope/", "zstd", HttpStatusCode.TooManyRequests)]
    [InlineData("store/", "zstd", HttpStatusCode.TooManyRequests)]
    public async Task bodies_that_ask_for_large_windows_are_refused_when_the_share_is_used_up(
        string path, string encoding, HttpStatusCode expected)
    {
        var (sender, other) = (await Api.RegisterAsync(), await Api.RegisterAsync());
        byte[] header = encoding == "br" ? [0x0f, 0xff, 0xff, 0xff] : [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x68];
        byte[] start = [.. header, .. new byte[20]];
        var goesOn = new TaskCompletionSource();
        var answers = Enumerable.Range(0, Many)
            .Select(_ => SendAsync(sender, path, encoding, new Halting(start, goesOn.Task))).ToList();

        await Eventually.Async(() => Task.FromResult(answers.Count(answer => answer.IsCompleted) > Many / 2), "most are refused");
        Assert.All(answers.Where(answer => answer.IsCompleted), answer => Assert.Equal(expected, answer.Result));
        Assert.InRange(Api.Memory.Taken, 8 * 1024 * 1024, 64 * 1024 * 1024);
        await Api.ReportAsync(other);
        goesOn.SetResult();
        await Task.WhenAll(answers);
        await Eventually.Async(() => Task.FromResult(Api.Memory.Taken == 0), "all memory is given back");
    }

    /// <summary>While one application's large bodies are parsed and wait to be, another's are stored.</summary>
    [Theory]
    [InlineData("events")]
    [InlineData("events/batch")]
    [InlineData("store/")]
    public async Task large_bodies_of_an_application_wait_for_a_slot_and_those_of_others_do_not(string path)
    {
        var (busy, other) = (await Api.RegisterAsync(), await Api.RegisterAsync());
        var turns = Enumerable.Range(0, Math.Max(1, Environment.ProcessorCount / 2)).Select(_ => Api.Memory.BudgetFor(busy.Id)).ToList();
        foreach (var turn in turns) await turn.TakeTurnAsync(long.MaxValue, CancellationToken.None);

        var waiting = Enumerable.Range(0, 12).Select(_ => SendAsync(busy, path, null, Large(path))).ToList();
        Assert.Equal(HttpStatusCode.Created, await SendAsync(other, "events", null, Large("events")));
        await Api.ReportAsync(other);
        await Api.ReportAsync(busy);
        Assert.All(waiting, answer => Assert.False(answer.IsCompleted));
        Assert.InRange(Api.Memory.Taken, 12 * 30_000, 12 * 2 * 1024 * 1024);

        foreach (var turn in turns) turn.Dispose();
        Assert.All(await Task.WhenAll(waiting), status => Assert.InRange((int)status, 200, 201));
        await Eventually.Async(() => Task.FromResult(Api.Memory.Taken == 0), "all memory is given back");
    }

    private static MemoryStream Large(string path)
    {
        var one = Encoding.UTF8.GetString(AbusedHost.Event("large", size: 30_000));
        return new(Encoding.UTF8.GetBytes(path == "events/batch" ? $"[{one},{one}]" : one));
    }

    private async Task<HttpStatusCode> SendAsync(Sender sender, string path, string? encoding, Stream body)
    {
        var isSdk = path.EndsWith('/');
        var target = isSdk ? $"/api/{sender.Id}/{path}?sentry_key={sender.Key}" : $"/apps/{sender.Id}/{path}";
        using var request = new HttpRequestMessage(HttpMethod.Post, target) { Content = new StreamContent(body) };
        request.Content.Headers.ContentType = new(MediaType.Json);
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        if (!isSdk) request.Headers.Add(NativeIntake.KeyHeader, sender.Key);
        using var answer = await Api.Host.Server.CreateClient().SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>Gives its first bytes, and ends when it is told to.</summary>
    private sealed class Halting(byte[] start, Task goesOn) : Stream
    {
        private bool _isGiven;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            if (_isGiven)
            {
                await goesOn.WaitAsync(cancellationToken);
                return 0;
            }
            _isGiven = true;
            start.CopyTo(buffer);
            return start.Length;
        }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override void Flush() => throw new NotSupportedException();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
