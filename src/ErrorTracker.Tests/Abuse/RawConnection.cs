using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ErrorTracker.Tests.Abuse;

/// <summary>An answer as it came over the socket.</summary>
internal sealed record Answer(int Status, IReadOnlyDictionary<string, string> Headers, byte[] Body)
{
    public bool Closes => Headers.GetValueOrDefault("Connection") == "close";

    public PlainJson? Json => PlainJson.Parse(Encoding.UTF8.GetString(Body), deepest: 1000);

    public bool IsProblem =>
        Headers.GetValueOrDefault("Content-Type")?.StartsWith(
            "application/problem+json", StringComparison.Ordinal) == true;

    /// <summary>Those a refusal names, in order.</summary>
    public string[] Faults => FaultsOf(Json);

    public static string[] FaultsOf(PlainJson? refusal) =>
        [.. (IEnumerable<string>?)refusal?["errors"]?.Members.Select(member => member.Name).Order(StringComparer.Ordinal) ?? []];
}

/// <summary>What the client does when it has sent all.</summary>
internal enum Ending
{
    Listen,
    HalfClose,
    Abort,
}

/// <summary>
/// One TCP connection that sends what it is given, be it HTTP or not, and reads answers as HTTP/1.1 frames them.
/// </summary>
internal sealed class RawConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>So long a client waits until it says that it has sent all: the host takes that for its end.</summary>
    private static readonly TimeSpan Hesitation = TimeSpan.FromMilliseconds(100);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] _buffer = new byte[16 * 1024];
    private int _start, _end;

    public static async Task<RawConnection> OpenAsync(Uri host)
    {
        var connection = new RawConnection();
        await connection._socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, host.Port));
        return connection;
    }

    public void Dispose() => _socket.Dispose();

    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!bytes.IsEmpty) bytes = bytes[await _socket.SendAsync(bytes, limit.Token)..];
    }

    /// <summary>
    /// So many bytes at once, the others one by one, often enough that no silence ends it, until the other end has
    /// enough of it.
    /// </summary>
    public async Task TrickleAsync(byte[] request, int atOnce)
    {
        try
        {
            await SendAsync(request.AsMemory(0, atOnce));
            foreach (var next in request.Skip(atOnce))
            {
                await SendAsync(new[] { next });
                await Task.Delay(100);
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
        }
    }

    public void HalfClose()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // the host was faster
        }
    }

    /// <summary>The connection ends with a reset.</summary>
    public void Abort()
    {
        _socket.LingerState = new(true, 0);
        _socket.Close();
    }

    /// <summary>
    /// Sends and reads at once, as a host may answer before it has read all. Null if it closes the connection instead
    /// of answering.
    /// </summary>
    public async Task<Answer?> ExchangeAsync(ReadOnlyMemory<byte> request, Ending ending = Ending.Listen, bool isHead = false)
    {
        var sending = SendAndEndAsync(request, ending);
        if (ending == Ending.Abort)
        {
            await sending;
            return null;
        }
        var reading = ReadAsync(isHead);
        if (ending == Ending.HalfClose && await Task.WhenAny(reading, Task.Delay(Hesitation)) != reading) HalfClose();
        var answer = await reading;
        await sending;
        return answer;
    }

    /// <summary>Null if the connection ends without a whole answer.</summary>
    public async Task<Answer?> ReadAsync(bool isHead = false)
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            Answer answer;
            do answer = await ReadOneAsync(isHead, limit.Token);
            while (answer.Status is >= 100 and < 200);
            return answer;
        }
        catch (Exception e) when (e is SocketException or EndOfStreamException)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"No answer, and no end of the connection, in {Patience}.");
        }
    }

    private async Task SendAndEndAsync(ReadOnlyMemory<byte> request, Ending ending)
    {
        try
        {
            await SendAsync(request);
            if (ending == Ending.Abort) Abort();
        }
        catch (SocketException)
        {
            // the host may refuse before it has read all
        }
    }

    private async Task<Answer> ReadOneAsync(bool isHead, CancellationToken stop)
    {
        var status = int.Parse((await ReadLineAsync(stop)).Split(' ')[1], CultureInfo.InvariantCulture);
        var headers = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (string line; (line = await ReadLineAsync(stop)).Length > 0;)
            headers[line[..line.IndexOf(':')]] = line[(line.IndexOf(':') + 1)..].Trim();

        if (isHead || status is < 200 or 204 or 304) return new(status, headers, []);
        if (headers.TryGetValue("Content-Length", out var length))
            return new(status, headers, await ReadExactlyAsync(int.Parse(length, CultureInfo.InvariantCulture), stop));
        return new(status, headers, headers.ContainsKey("Transfer-Encoding") ? await ReadChunksAsync(stop) : await ReadToEndAsync(stop));
    }

    private async Task<byte[]> ReadChunksAsync(CancellationToken stop)
    {
        var body = new MemoryStream();
        while (true)
        {
            var size = int.Parse(await ReadLineAsync(stop), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (size == 0) break;
            body.Write(await ReadExactlyAsync(size, stop));
            await ReadLineAsync(stop);
        }
        await ReadLineAsync(stop);
        return body.ToArray();
    }

    private async Task<byte[]> ReadToEndAsync(CancellationToken stop)
    {
        var body = new MemoryStream();
        do
        {
            body.Write(_buffer, _start, _end - _start);
            (_start, _end) = (0, await _socket.ReceiveAsync(_buffer, stop));
        } while (_end > 0);
        return body.ToArray();
    }

    private async Task<string> ReadLineAsync(CancellationToken stop)
    {
        var line = new StringBuilder();
        for (byte next; (next = await ReadByteAsync(stop)) != '\n';) line.Append((char)next);
        return line.ToString().TrimEnd('\r');
    }

    private async Task<byte[]> ReadExactlyAsync(int count, CancellationToken stop)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            if (_start == _end) await FillAsync(stop);
            var take = Math.Min(count - read, _end - _start);
            _buffer.AsSpan(_start, take).CopyTo(bytes.AsSpan(read));
            (read, _start) = (read + take, _start + take);
        }
        return bytes;
    }

    private async ValueTask<byte> ReadByteAsync(CancellationToken stop)
    {
        if (_start == _end) await FillAsync(stop);
        return _buffer[_start++];
    }

    private async Task FillAsync(CancellationToken stop)
    {
        (_start, _end) = (0, await _socket.ReceiveAsync(_buffer, stop));
        if (_end == 0) throw new EndOfStreamException();
    }
}
