using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Events and batches as applications send them, with bodies, encodings, types and keys that are not always right.
/// </summary>
internal sealed class HostileBodies(Random random, int number, Sender sender)
{
    private const int NamedEvents = 40;

    private static readonly (string Type, bool IsJson)[] Types =
    [
        ("application/json; charset=utf-8", true), ("application/json;charset=utf-16", true),
        ("APPLICATION/JSON", true), ("application/problem+json", true), ("text/plain", false), ("", false),
        ("application", false),
        ("application/x-www-form-urlencoded", false), ("multipart/form-data; boundary=x", false),
        ("application/xml", false), ("*/*", false), ("application/jsonp", false),
    ];

    private static readonly (string Name, string? Means)[] EncodingNames =
    [
        ("GZIP", "gzip"), ("identity", "identity"), ("zstd", null), ("gzip, gzip", null), ("compress", null),
        ("gzip;q=1", null), ("*", null),
    ];

    private readonly HostileEvents _events = new(random);

    private bool OneIn(int times) => random.Next(times) == 0;

    public Input Event()
    {
        var named = OneIn(4) ? random.Next(NamedEvents) : (int?)null;
        var body = named is { } known && OneIn(2) ? Encoding.UTF8.GetBytes(NamedEvent(known))
            : OneIn(30) ? HostileShapes.Any(random, "native") : _events.Next(Mark(0), IdOf(named));
        var (request, encoding, sent, refusal) = Wrap("events", body, MediaType.Json);
        var (read, isWhole) = Compression.Inflate(encoding, sent);
        var isTooLarge = Math.Max(sent.Length, read.Length) > EventOracle.Largest;
        return new("event", request, Judge);

        string? Judge(Answer? answer, Ledger ledger)
        {
            if (refusal is { } status) return Expect(answer!, status);
            if (isTooLarge) return Expect(answer!, 413);
            return isWhole ? FaultOf(answer!, EventOracle.Judge(read), ledger) : Expect(answer!, 400, "body");
        }
    }

    public Input Batch()
    {
        var lines = OneIn(3);

        // Each once: which of two is stored first is up to the host.
        string? NameOf(int i) => i < NamedEvents && OneIn(6) ? IdOf((number + i) % NamedEvents) : null;

        var count = OneIn(50) ? random.Next(300) : random.Next(8);
        var elements = Enumerable.Range(0, count).Select(i => _events.Next(Mark(i), NameOf(i))).ToList();
        var text = lines ? Join("\n"u8, elements) : [(byte)'[', .. Join(","u8, elements), (byte)']'];
        var body = OneIn(4) && text.AsSpan().IndexOf("event_id"u8) < 0 ? Mutation.Apply(random, text) : text;
        var (request, encoding, sent, refusal) = Wrap("events/batch", body, lines ? MediaType.Lines : MediaType.Json);
        var (read, inflates) = Compression.Inflate(encoding, sent);
        var (found, isWhole) = BatchOracle.Split(read, lines);
        return new(
            lines ? "lines" : "batch", request,
            (answer, ledger) => refusal is { } status
                ? Expect(answer!, status)
                : BatchOracle.FaultOf(answer!, found, read.Length, isWhole, inflates, ledger, number));
    }

    /// <summary>Null if the answer to an event is what the oracle says.</summary>
    public string? FaultOf(Answer answer, Verdict verdict, Ledger ledger)
    {
        var status = ledger.StatusOf(verdict);
        ledger.Add(verdict, number);
        return Expect(answer, status, verdict.Faults);
    }

    public static string? Expect(Answer answer, int status, params string[] faults) =>
        answer.Status == status && (status != 400 || answer.Faults.SequenceEqual(faults))
            ? null
            : $"expected {status} {string.Join(',', faults)}";

    public string Mark(int part) => $"sent {number}.{part}";

    public string ValidEvent() => $$"""{"occurred_at":"2026-01-31T12:34:56Z","level":"ERROR","message":"{{Mark(0)}}"}""";

    private static string NamedEvent(int named) =>
        $$"""{"occurred_at":"2026-01-31T12:34:56Z","level":"ERROR","message":"named","event_id":"{{IdOf(named)}}"}""";

    private static string? IdOf(int? named) => named is { } known ? new Guid(known, 7, 7, new byte[8]).ToString() : null;

    /// <summary>
    /// The request, how the host must decode it, what it must decode, and what it must be refused with if not for that.
    /// </summary>
    private (byte[] Request, string Encoding, byte[] Sent, int? Refusal) Wrap(string path, byte[] body, string type)
    {
        var means = OneIn(5) ? Compression.Encodings[random.Next(Compression.Encodings.Length)] : "";
        var sent = means.Length > 0 ? Compression.Deflate(means, body, isRaw: OneIn(2)) : body;
        if (means.Length > 0 && OneIn(4)) sent = Mutation.Apply(random, sent);
        var (name, meant) = OneIn(30) ? EncodingNames[random.Next(EncodingNames.Length)] : (means, means);
        var (contentType, isJson) = OneIn(30)
            ? random.GetItems(Types.Where(other => type == MediaType.Json || !other.IsJson).ToArray(), 1)[0]
            : (type, true);
        var (key, opens) = OneIn(40) ? HostileKeys.Pick(random, sender.Key) : (sender.Key, 0);
        var headers = new List<(string, string)> { (NativeIntake.KeyHeader, key) };
        if (contentType.Length > 0) headers.Add(("Content-Type", contentType));
        if (name.Length > 0) headers.Add(("Content-Encoding", name));
        var request = Input.Http("POST", $"/apps/{sender.Id}/{path}", headers, sent, OneIn(3) ? random : null);
        var isAdmitted = isJson && meant is not null;
        int? refusal = opens > 0 ? opens : isAdmitted ? null : 415;
        return (request, meant ?? "", sent, refusal);
    }

    private static byte[] Join(ReadOnlySpan<byte> separator, List<byte[]> parts)
    {
        var joined = new MemoryStream();
        for (var i = 0; i < parts.Count; i++)
        {
            if (i > 0) joined.Write(separator);
            joined.Write(parts[i]);
        }
        return joined.ToArray();
    }
}

/// <summary>What senders put where their key belongs.</summary>
internal static class HostileKeys
{
    /// <summary>A value for the header, and the status that refuses it; 0 if it opens.</summary>
    public static (string Value, int Status) Pick(Random random, string key) => random.Next(10) switch
    {
        0 => ("", 401),
        1 => ("   ", 401),
        2 => ("\t" + key + " ", 0),
        3 => (key.ToUpperInvariant() is var upper && upper != key ? upper : "X", 403),
        4 => (new string('0', 32), 403),
        5 => (new string('k', random.Next(1, 20_000)), 403),
        6 => ("\xff\xfe\x80é", 403),
        7 => (key + "\r\n" + NativeIntake.KeyHeader + ": " + key, 403),
        8 => (key[..^1], 403),
        _ => ("' or 1=1 --", 403),
    };
}
