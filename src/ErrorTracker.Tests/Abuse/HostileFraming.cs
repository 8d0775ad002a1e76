using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// A valid event, or none, in what only resembles HTTP. Whatever is answered 201 must be stored, and nothing else.
/// </summary>
internal sealed class HostileFraming(Random random, int number, Sender sender)
{
    private static readonly string[] Sizes =
    [
        "zz", "-1", "", " ", "0x10", "ffffffffffffffff", "80000000", "7fffffff", "fffffffffffffffffffffffff",
        "5;ext=\"a;b\"", "5 ", "+5", "1\0", "\xff",
    ];

    private static readonly string[] Lengths = ["-1", "x", "", "1, 1", "99999999999999999999", "0x10", "1.0", "+5", "٣", " ", "5;x"];

    private static readonly string[] RequestLines =
    [
        "GET", "GET /apps", "GET /apps HTTP/9.9", "GET /apps HTTP/1.0", "GET  /apps HTTP/1.1",
        "\r\n\r\nGET /apps HTTP/1.1", "GET /apps http/1.1", $"GET /{new string('l', 9_000)} HTTP/1.1",
        "\0", "PRI * HTTP/2.0", "G\xffT /apps HTTP/1.1", $"{new string('M', 9_000)} / HTTP/1.1",
        "GET /apps HTTP/1.1\r\nHost: a\r\n folded: 1", "GET /apps HTTP/1.1\nHost: a\n",
        "GET /apps HTTP/1.1\r\nHost : a", "GET /apps HTTP/1.1\r\nno colon",
    ];

    private static readonly string[] Codings =
    [
        "gzip", "identity", "chunked, chunked", "chunked, gzip", "gzip, chunked", "xchunked", "", "chunked;q=1",
        "CHUNKED",
    ];

    private readonly HostileBodies _bodies = new(random, number, sender);

    private byte[] Event => Encoding.UTF8.GetBytes(_bodies.ValidEvent());

    private string Pick(string[] from) => from[random.Next(from.Length)];

    public Input Next()
    {
        var whole = Input.Http(
            "POST", $"/apps/{sender.Id}/events",
            [(NativeIntake.KeyHeader, sender.Key), ("Content-Type", MediaType.Json)], Event,
            random.Next(2) == 0 ? random : null);
        var head = whole.AsSpan().IndexOf("\r\n\r\n"u8);
        return random.Next(10) switch
        {
            0 => Broken("chunk size", Post("Transfer-Encoding: chunked", $"{Pick(Sizes)}\r\n{_bodies.ValidEvent()}\r\n0\r\n\r\n")),
            1 => Broken("content length", Post($"Content-Length: {Pick(Lengths)}", _bodies.ValidEvent())),
            2 => Broken(
                "lengths that differ",
                Post(
                    $"Content-Length: {Event.Length}\r\n"
                    + $"{(random.Next(2) == 0 ? $"Content-Length: {random.Next(200)}" : "Transfer-Encoding: chunked")}",
                    _bodies.ValidEvent())),
            3 => Broken(
                "transfer coding",
                Post($"Transfer-Encoding: {Pick(Codings)}", Encoding.Latin1.GetString(Input.Chunked(Event, random)))),
            4 => Broken("too long or too short a body", Post($"Content-Length: {random.Next(Event.Length * 2)}", _bodies.ValidEvent())),
            5 => new(
                "cut off", whole[..random.Next(whole.Length)],
                (answer, _) => answer?.Status is 201 ? "no event was sent whole" : null)
            {
                IsBrokenHttp = true,
                Ending = random.Next(2) == 0 ? Ending.HalfClose : Ending.Abort,
            },
            6 => Broken("left before the answer", whole) with { Ending = Ending.Abort },
            7 => Broken("changed head", [.. Mutation.Apply(random, whole[..head]), .. whole[head..]]),
            8 => Broken("request line", Encoding.Latin1.GetBytes(Pick(RequestLines) + "\r\n\r\n")),
            _ => Broken("noise", Noise()),
        };
    }

    private byte[] Post(string headers, string body) =>
        Encoding.Latin1.GetBytes(
            $"POST /apps/{sender.Id}/events HTTP/1.1\r\nHost: localhost\r\n{NativeIntake.KeyHeader}: "
            + $"{sender.Key}\r\nContent-Type: {MediaType.Json}\r\n{headers}\r\n\r\n{body}");

    private byte[] Noise()
    {
        var noise = new byte[random.Next(1, 2_000)];
        random.NextBytes(noise);
        if (random.Next(2) == 0) noise = [0x16, 0x03, 0x01, .. noise];
        return noise;
    }

    /// <summary>
    /// What the host makes of it is up to the web server; a 201 says that it found the event, whole, or registered what
    /// its changed target names. Without an answer nobody knows.
    /// </summary>
    private Input Broken(string kind, byte[] request) => new(kind, request, (answer, ledger) =>
    {
        if (answer is null) ledger.Uncertain.Add((EventOracle.Judge(Event).Content!, number));
        if (answer is { Status: 201 } && answer.Json?["ingest_key"] is null) ledger.Add(EventOracle.Judge(Event), number);
        return null;
    })
    { IsBrokenHttp = true, Ending = Ending.HalfClose };
}
