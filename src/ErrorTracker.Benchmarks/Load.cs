using System.Buffers.Text;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ErrorTracker.Benchmarks;

/// <summary>What a stretch of load came to.</summary>
/// <param name="Good">Requests answered 2xx.</param>
/// <param name="Bad">All others.</param>
/// <param name="Latencies">Of all of them, in milliseconds.</param>
internal sealed record LoadResult(long Good, long Bad, double Seconds, List<double> Latencies)
{
    public double Rate => Good / Seconds;
}

/// <summary>
/// Sends requests over and over on plain sockets, on loopback only: a full HTTP client would cost more than the server
/// that it measures.
/// </summary>
internal static class Load
{
    private static ReadOnlySpan<byte> ContentLength => "Content-Length: "u8;

    public static byte[] Post(string path, string key, byte[] body)
    {
        var head =
            $"POST {path} HTTP/1.1\r\n"
            + "Host: localhost\r\n"
            + $"X-INGEST-KEY: {key}\r\n"
            + "Content-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n"
            + "\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    /// <summary>An event whose JSON has about so many bytes, and one of five hundred messages.</summary>
    public static byte[] Event(int size, int number)
    {
        var head =
            $$"""
            {"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment {{number % 500}} declined",
            "tags":{"region":"eu"},"stack":{"frames":[
            """;
        var frames = new List<string>();
        for (var length = head.Length; length < size - 20; length += frames[^1].Length + 1)
        {
            var step = frames.Count;
            var line = (number + step) % 900;
            frames.Add(
                $$"""
                {"file":"src/Checkout/Step{{step}}.cs","line":{{line}},"function":"Checkout.Step{{step}}.RunAsync"}
                """);
        }
        return Encoding.UTF8.GetBytes(head + string.Join(',', frames) + "]}}");
    }

    /// <param name="rate">Requests a second; null for as many as are answered.</param>
    public static async Task<LoadResult> RunAsync(
        int port, byte[][] requests, int connections, TimeSpan duration, double? rate = null)
    {
        var sent = 0L;
        var watch = Stopwatch.StartNew();
        var parts = await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(SendAsync)));
        return new(
            parts.Sum(part => part.Good),
            parts.Sum(part => part.Bad),
            watch.Elapsed.TotalSeconds,
            [.. parts.SelectMany(part => part.Latencies)]);

        async Task<(long Good, long Bad, List<double> Latencies)> SendAsync()
        {
            using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(IPAddress.Loopback, port);
            var buffer = new byte[64 * 1024];
            long good = 0, bad = 0;
            var latencies = new List<double>();
            while (watch.Elapsed < duration)
            {
                var number = Interlocked.Increment(ref sent);
                if (rate is { } paced)
                {
                    var early = number * 1000 / paced - watch.Elapsed.TotalMilliseconds;
                    if (early > 1) await Task.Delay((int)early);
                }

                var start = Stopwatch.GetTimestamp();
                var request = requests[number % requests.Length];
                for (var written = 0; written < request.Length;)
                    written += await socket.SendAsync(request.AsMemory(written));
                var status = await ReadStatusAsync(socket, buffer);
                latencies.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                if (status is >= 200 and < 300) good++;
                else bad++;
            }
            return (good, bad, latencies);
        }
    }

    /// <summary>Reads one answer to its end; 0 if the connection ends before.</summary>
    private static async Task<int> ReadStatusAsync(Socket socket, byte[] buffer)
    {
        for (var filled = 0; ;)
        {
            var read = await socket.ReceiveAsync(buffer.AsMemory(filled));
            if (read == 0) return 0;
            filled += read;
            if (IsWhole(buffer.AsSpan(0, filled)))
                return Utf8Parser.TryParse(buffer.AsSpan("HTTP/1.1 ".Length), out int status, out _) ? status : 0;
        }
    }

    /// <summary>A length is declared, or its chunks end with an empty one.</summary>
    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var headEnd = answer.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0) return false;
        var body = answer[(headEnd + 4)..];
        var length = answer[..headEnd].IndexOf(ContentLength);
        return length < 0
            ? answer.EndsWith("0\r\n\r\n"u8)
            : Utf8Parser.TryParse(answer[(length + ContentLength.Length)..], out int declared, out _)
                && body.Length >= declared;
    }
}
