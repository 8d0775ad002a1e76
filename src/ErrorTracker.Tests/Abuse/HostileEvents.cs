using System.Text;
using System.Text.Json;

namespace ErrorTracker.Tests.Abuse;

/// <summary>Makes events: valid ones, and what comes of them when members, values and bytes are changed.</summary>
internal sealed class HostileEvents(Random random)
{
    private static readonly string[] Times =
    [
        "2026-01-31T12:34:56.789Z", "2026-01-31T12:34:56.123456789123456789Z", "2026-01-31T12:34:56",
        "2026-01-31t12:34:56z", "2026-01-31 12:34:56+05:30", "2026-01-31T12:34Z", "2026-01-31",
        "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999999Z",
        "9999-12-31T23:59:59-01:00", "2024-02-29T00:00:00Z", "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
        "2026-01-31T24:00:00Z", "2026-01-31T23:59:60Z", "2026-02-01T05:29:60.5+05:30", "2026-01-31T12:34:60Z",
        "9999-12-31T23:59:60Z", "2026-01-31T12:34:56+14:01", "2026-01-31T12:34:56+25:00", "2026-01-31T12:34:56+0530",
        "2026-01-31T12:34:56+05", "2026-01-31T12:34:56.Z",
        "2026-01-31T12:34:56,5Z", "2026-1-31T12:34:56Z", "12026-01-31T12:34:56Z", "0000-01-01T00:00:00Z",
        "-2026-01-31T12:34:56Z", " 2026-01-31T12:34:56Z", "2026-01-31T12:34:56Z ", "2026-01-31T12:34:56Z\n",
        "2026-W05-6", "2026-031", "now", "1769862896", "", "\u0000", "２０２６-01-31T12:34:56Z", "2026-01-31T12:34:56 UTC",
        "Sat, 31 Jan 2026 12:34:56 GMT", "infinity", "2026-01-31T12:34:56−05:00",
        "2026-01-31T12:34:56+5:00", "2026-01-31T12:34:56Zz", "2026-01-31T12:34:56-00:00", "2026-01-31Z",
        "2026-01-31 12:34", "2026-01-31T12", "2026-01-31T12:34:56.\u0661Z", "2026-01-31T12:34:56+14:00",
        "2026-01-31T12:34:56+1:0",
    ];

    private static readonly string[] LevelNames =
    [
        "DEBUG", "info", "Warning", "WARN", "error", "CRITICAL", "fatal", "LOUD", "", "ERROR ", "cr\u0131tical",
        "\u0130NFO", "ＥＲＲＯＲ", "ERR\u0000OR", "3", "TRACE", "ınfo", "warn\n", "emerg", "Panic", "alert", "crit", "err",
        "Severe", "notice", "Informational", "log", "CONFIG", "verbose", "finest",
        "10", "25", "50", "51", "9", "40.0", "1e1", "+20", " 30", "４0",
    ];

    private static readonly string[] LevelNumbers = ["10", "20", "35", "40.0", "50", "60", "4e1", "-10", "true"];

    private static readonly string[] Ids =
    [
        "{7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10}", "urn:uuid:7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10", " 7d3f1f0e6f3b4f649a550d6f7c1f2a10   ",
        "+d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10", "0x3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10",
        "7d3f1f0e-6f3b-4f64-9a55-+d6f7c1f2a10", "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a1",
        "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a100", "not-a-uuid", "",
        "7d3f1f0e 6f3b 4f64 9a55 0d6f7c1f2a10", "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2aⅠ0",
        "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a1\u0000", "7d3f1f0e6f3b4f649a55-0d6f7c1f2a10----",
        "7d3f1f0e-6f3b-4f64-9a550x0d6f7c1f2a1",
    ];

    private static readonly JsonSerializerOptions Relaxed =
        new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>As JSON text, not all of it valid.</summary>
    private static readonly string[] Values =
    [
        "null", "true", "false", "0", "-0", "-0.0", "1.10", "1e5", "1E-308", "1e308", "1e309", "-1e309", "1e-309",
        "1e400", "1e99999999999999999999", "0.1e+0308", "123456789012345678901234567890.5", "9007199254740993",
        "01", "+1", ".5", "1.", "1e", "0x10", "NaN", "Infinity", "-", "--1", "1_000", "''", "undefined", "\"\"",
        "\" \"", "[]", "{}", "[[]]", "[null]", "{\"\":null}", "{\"\":{\"\":{\"\":1}}}", "{\"a\":1,\"a\":2}",
        "{\"\\u0000\":\"\\u0000\"}", "{\"\\ud800\":\"\\udc00\",\"\\udc00\":\"\\ud800\"}", "\"\\ud83d\\ude00\"",
        "\"\\ud83d\"", "\"\\ude00\\ud83d\"", "\"\\ud800\\ud800\\udc00\"", "\"\\\\u0000\"", "\"\\\\\\u0000\"",
        "\"\\u000\"", "\"\\x00\"",
        "\"\\uD83Dx\\uDE00\"", "\"\u007f\u0080\u2028\ufeff\uffff\"", "\"\t\"", "\"\\b\\f\\n\\r\\t\\/\\\"\\\\\"",
        "{\"a\":1,}", "[1,]", "[,1]", "{a:1}", "{\"a\" 1}", "{\"a\":}", "{1:1}", "[1 2]", "{\"__proto__\":{\"x\":1}}",
        "{\"$type\":\"System.IO.FileInfo\"}",
        "\"'; drop table mt_events; --\"", "\"{{7*7}}${jndi:ldap://x}%s%n\"", "\"<script>alert(1)</script>\"",
        "{\"n\":[1e308,-1e-308,0.0,1E+2]}", "{\"constructor\":1,\"$ref\":\"#\"}", "/* */1", "\"\\u0041\\u00e9\"",
    ];

    private static readonly string[] OtherNames =
    [
        "\"x\"", "\"Message\"", "\"LEVEL\"", "\"mess\\u0061ge\"", "\"\\u006cevel\"", "\"occurredAt\"", "\"\"",
        "\"\\u0000\"", "\"\\ud800\"", "\"received_at\"", "\"id\"", "\"seq_id\"", "\"tenant_id\"", "\"eventId\"",
        "\"$type\"", "\"dropped\"", "\"undated\"", "\"fingerprint\"", "\"context\"", "\"con\\u0074ext\"",
        "\"environment\"", "\"message \"", "message", "1", "null",
    ];

    public Guid NewId()
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new(bytes);
    }

    /// <summary>An event whose message holds <paramref name="mark"/>, unless that is what was changed.</summary>
    public byte[] Next(string mark, string? eventId)
    {
        var members = new List<(string Name, string Value)>
        {
            ("\"occurred_at\"", Quote(Times[random.Next(7)])), ("\"level\"", Quote(LevelNames[random.Next(7)])),
            ("\"message\"", Quote(mark)),
        };
        if (random.Next(2) == 0) members.Add(("\"stack\"", "{\"type\":\"E\",\"frames\":[{\"file\":\"A.cs\",\"line\":42}]}"));
        if (random.Next(2) == 0) members.Add(("\"tags\"", "{\"region\":\"eu\",\"userId\":7}"));
        if (eventId is not null) members.Add(("\"event_id\"", Quote(eventId)));
        for (var times = random.Next(4); times > 0; times--) Change(members, mark);
        if (random.Next(4) == 0) random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(members));

        var bytes = Encoding.UTF8.GetBytes(Decorate($"{{{string.Join(',', members.Select(member => $"{member.Name}:{member.Value}"))}}}"));
        return random.Next(4) == 0 ? Mutation.Apply(random, bytes) : bytes;
    }

    private void Change(List<(string Name, string Value)> members, string mark)
    {
        var at = random.Next(members.Count);
        switch (random.Next(17))
        {
            case 0: if (members.Count > 1) members.RemoveAt(at); break;
            case 1: members[at] = members[at] with { Value = Value() }; break;
            case 2: members[at] = members[at] with { Name = Pick(OtherNames) }; break;
            case 3: members.Add((members[at].Name, random.Next(2) == 0 ? Value() : members[at].Value)); break;
            case 4: members.Insert(at, (Pick(OtherNames), Value())); break;
            case 5 or 6: Set(members, "\"occurred_at\"", Quote(Pick(Times))); break;
            case 7: Set(members, "\"level\"", random.Next(4) == 0 ? Pick(LevelNumbers) : Quote(Pick(LevelNames))); break;
            case 8: Set(members, "\"message\"", Message(mark)); break;
            case 9: Set(members, "\"event_id\"", Quote(random.Next(2) == 0 ? Pick(Ids) : NewId().ToString("N").ToUpperInvariant())); break;
            case 10 or 11: Set(members, "\"tags\"", Tags()); break;
            case 12: Set(members, "\"context\"", Context()); break;
            case 13: Set(members, "\"fingerprint\"", random.Next(3) == 0 ? Value() : Fingerprint()); break;
            case 14: Set(members, "\"stack\"", PlainStack(mark)); break;
            default: Set(members, "\"stack\"", NestedStack()); break;
        }
    }

    private string PlainStack(string mark) =>
        random.Next(2) == 0 ? Quote($"at {mark}\n  at main") : $"[{Value()},{Value()}]";

    private string NestedStack() =>
        random.Next(3) == 0 ? Deep(Depth()) : $"{{\"s\":{Value()},{Quote(Pick(Times))}:{Value()}}}";

    private string Decorate(string json) => random.Next(24) switch
    {
        0 => "\ufeff" + json,
        1 => "\ufeff\ufeff" + json,
        2 => json + "\n ",
        3 => json + "x",
        4 => json + json,
        5 => json.Replace(",", " ,\r\n\t"),
        6 => $"[{json}]",
        7 => json + "\0",
        8 => "\u00a0" + json,
        9 => Quote(json),
        _ => json,
    };

    private string Value() => random.Next(12) switch
    {
        0 => Deep(Depth()),
        1 => new string('9', random.Next(2) == 0 ? random.Next(395, 406) : random.Next(1, 3000)),
        2 => $"0.{new string('0', random.Next(390, 405))}1",
        3 => Many(random.Next(2) == 0 ? "1e300" : "\"\\u0000\""),
        4 => Quote(new string((char)random.Next(1, 0xd7ff), random.Next(1, random.Next(10) == 0 ? 10_000 : 100))),
        _ => Pick(Values),
    };

    private string Many(string item)
    {
        var count = random.Next(40) == 0 ? 5_000 : random.Next(100);
        return $"[{string.Join(',', Enumerable.Repeat(item, count))}]";
    }

    private string Fingerprint() =>
        $"[{string.Join(',', Enumerable.Range(0, random.Next(40)).Select(_ => random.Next(10) == 0 ? Value() : "\"part\""))}]";

    private string Context()
    {
        var members = Enumerable.Range(0, random.Next(4)).Select(
            _ => $"{Pick(OtherNames[..^3])}:{(random.Next(5) == 0 ? Deep(Depth()) : Value())}");
        return $"{{{string.Join(',', members)}}}";
    }

    private string Tags()
    {
        var count = TagCount();
        var value = count < 70 ? Value() : "0";
        return $"{{{string.Join(',', Enumerable.Range(0, count).Select(Tag))}}}";

        string Tag(int number)
        {
            if (random.Next(50) == 0) return "\"\\u0000\":" + value;
            return $"\"{number}\":{(random.Next(10) == 0 ? value : "0")}";
        }
    }

    private int TagCount()
    {
        if (random.Next(300) == 0) return 100_000;
        if (random.Next(20) == 0) return random.Next(2_000);
        return random.Next(2) == 0 ? random.Next(62, 67) : random.Next(5);
    }

    private string Message(string mark)
    {
        var unit = random.Next(4) switch { 0 => "\U0001f4a5", 1 => "\\u0000", 2 => "\\ud800", _ => "m" };
        var count = random.Next(4) switch
        {
            0 => 0,
            1 => random.Next(8100, 8200),
            2 when random.Next(5) == 0 => random.Next(16_300, 40_000),
            _ => random.Next(100),
        };
        return $"\"{(random.Next(3) == 0 ? "" : mark)}{new StringBuilder().Insert(0, unit, count)}\"";
    }

    private string Deep(int depth)
    {
        var (open, close) = random.Next(2) == 0 ? ("[", "]") : ("{\"a\":", "}");
        var closed = random.Next(10) == 0 ? depth - 1 : depth;
        var (begin, end) = (new StringBuilder().Insert(0, open, depth), new StringBuilder().Insert(0, close, closed));
        return $"{{\"d\":{begin}1{end}}}";
    }

    private int Depth() => random.Next(50) == 0 ? random.Next(1_000, 100_000) : random.Next(1, 70);

    private static void Set(List<(string Name, string Value)> members, string name, string value)
    {
        members.RemoveAll(member => member.Name == name);
        members.Add((name, value));
    }

    private string Pick(string[] from) => from[random.Next(from.Length)];

    private static string Quote(string text) => JsonSerializer.Serialize(text, Relaxed);
}
