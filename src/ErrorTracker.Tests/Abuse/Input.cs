using System.Globalization;
using System.Text;

namespace ErrorTracker.Tests.Abuse;

/// <summary>One thing that is sent.</summary>
/// <param name="Fault">
/// Why its answer, or the end of its connection, is not what it must be; null if it is. Notes what is stored.
/// </param>
internal sealed record Input(string Kind, byte[] Request, Func<Answer?, Ledger, string?> Fault)
{
    public Ending Ending { get; init; }

    public bool IsHead { get; init; }

    /// <summary>The web server may refuse it before an endpoint sees it, without a body.</summary>
    public bool IsBrokenHttp { get; init; }

    public override string ToString() => $"{Kind} ({Request.Length:N0} bytes, then {Ending})\n{Shown(Request)}";

    public static string Shown(byte[] bytes) =>
        string.Concat(
            bytes.Take(1_000).Select(
                b => b is >= 0x20 and < 0x7f or (byte)'\n'
                    ? ((char)b).ToString()
                    : $"\\x{b:x2}")) + (bytes.Length > 1_000
                ? " …"
                : "");

    /// <summary>
    /// A request with these headers; the body in one piece with its length, or in chunks of random sizes.
    /// </summary>
    /// <param name="target">Characters beyond Latin-1 cannot be sent.</param>
    public static byte[] Http(
        string method, string target, IEnumerable<(string Name, string Value)> headers, byte[]? body = null,
        Random? chunks = null)
    {
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\nHost: localhost\r\n");
        foreach (var (name, value) in headers) head.Append(CultureInfo.InvariantCulture, $"{name}: {value}\r\n");
        if (body is not null)
            head.Append(chunks is null ? $"Content-Length: {body.Length}\r\n" : "Transfer-Encoding: chunked\r\n");
        head.Append("\r\n");
        return [.. Encoding.Latin1.GetBytes(head.ToString()), .. chunks is null ? body ?? [] : Chunked(body!, chunks)];
    }

    public static byte[] Chunked(byte[] body, Random random)
    {
        var framed = new MemoryStream();
        for (int at = 0, size; at < body.Length; at += size)
        {
            size = Math.Min(random.Next(1, random.Next(3) == 0 ? 10 : body.Length + 1), body.Length - at);
            framed.Write(Encoding.ASCII.GetBytes($"{size:x}\r\n"));
            framed.Write(body.AsSpan(at, size));
            framed.Write("\r\n"u8);
        }
        framed.Write("0\r\n\r\n"u8);
        return framed.ToArray();
    }
}
