using System.Text;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Envelopes and stored events as SDKs send them, with framing, encodings and keys that are not always right. Each that
/// is answered with an id is stored once.
/// </summary>
internal sealed class HostileEnvelopes(Random random, int number, Sender sender)
{
    private static readonly string[] ItemHeaders =
    [
        "{\"type\":\"event\"}", "{\"type\":\"event\",\"length\":LENGTH}",
        "{\"type\":\"event\",\"length\":null,\"x\":[{}]}", "{\"type\":\"client_report\"}",
        "{\"type\":\"attachment\",\"length\":LENGTH}", "{\"type\":\"transaction\"}",
        "{\"type\":\"minidump\",\"length\":LENGTH}",
        "{\"type\":\"attachment\",\"attachment_type\":\"event.minidump\",\"filename\":\"\\u0000\"}",
        "{\"type\":\"log\",\"item_count\":1e999}",
        "{\"type\":\"sessions\"}", "{\"type\":\"\\ud800\"}", "{\"type\":7}", "{\"length\":1}",
        "{\"type\":\"event\",\"length\":-1}", "{\"type\":\"event\",\"length\":99999999999999999999}",
        "{\"type\":\"event\",\"length\":9223372036854775807}", "", "[]", "{",
    ];

    private static readonly string[] Payloads =
    [
        "{\"message\":\"MARK\"}",
        "{\"exception\":{\"values\":[{\"type\":\"T\",\"value\":\"MARK\",\"stacktrace\":{\"frames\":[{}]}}]},"
        + "\"timestamp\":1769860800.5,\"level\":\"fatal\"}",
        "{\"message\":{\"formatted\":\"MARK\"},\"tags\":[[\"a\",1]],\"extra\":{\"n\":[NaN,-Infinity,1e999]}}",
        "{\"timestamp\":1e308,\"level\":[],\"tags\":7,\"exception\":[[]],\"threads\":{},\"message\":{}}",
        "{\"timestamp\":1769860800,\"discarded_events\":[{\"reason\":\"r\",\"category\":\"error\",\"quantity\":2147483647}]}",
        "{\"discarded_events\":7}", "{\"event_id\":\"ID\",\"message\":\"named\"}",
        "", "[]", "null", "{\"message\":\"\\u0000\\udfff\"}",
        $"{{\"extra\":{new string('[', 300)}{new string(']', 300)}}}", $"{{\"message\":\"{new string('m', 20_000)}\"}}",
        "\xff\xfe", "{\"type\":\"transaction\"}",
    ];

    private static readonly string[] Reports =
    [
        "{\"csp-report\":{\"violated-directive\":\"script-src\",\"blocked-uri\":\"https://MARK/\"}}",
        "{\"csp-report\":{\"\\ud800\":1e999}}", "{\"expect-ct-report\":{\"hostname\":[]}}",
        "{\"type\":\"\\u0000\",\"age\":-1e999,\"body\":{}}", "[[]]",
    ];

    private static readonly string[] Fields =
    [
        "name=\"upload_file_minidump\"; filename=\"c\"\r\n\r\nMDMP\0\r\n--",
        "name=\"sentry\"\r\n\r\n{\"tags\":{\"a\":\"\\ud800\"},\"extra\":[1e999],\"message\":\"MARK\"}",
        "name=\"sentry[a][b]\"\r\n\r\n\xff", "name=\"sentry__1\"\r\n\r\n{",
        "name=\"__sentry-event\"; filename=\"x\"\r\n\r\n\u0081\u00a1a\u0093\u0001\u00c0\u00a2\0",
        "name=\"__sentry-breadcrumb1\"; filename=\"x\"\r\n\r\n\u0081\u00a1t\u0001\u00dd", "name\r\n\r\n\0", "\r\n\r\n",
    ];

    private static readonly string[] Encodings = ["gzip", "deflate", "br", "zstd", "compress", "gzip, br", "*"];

    private static readonly string[] Reasons = ["400", "401", "403", "413", "415"];

    private bool OneIn(int times) => random.Next(times) == 0;

    private string Pick(string[] from) => from[random.Next(from.Length)];

    public Input Next()
    {
        var endpoint = Pick(["envelope", "envelope", "envelope", "store", "security", "minidump"]);
        var body = endpoint switch
        {
            "envelope" when OneIn(30) => HostileShapes.Any(random, "envelope"),
            "envelope" => Encoding.Latin1.GetBytes(Envelope()),
            "store" => Encoding.Latin1.GetBytes(Payload()),
            "security" => Encoding.Latin1.GetBytes(Pick(Reports).Replace("MARK", $"h{number}")),
            _ => Encoding.Latin1.GetBytes(Form()),
        };
        if (endpoint == "store" && OneIn(3))
            body = Encoding.ASCII.GetBytes(Convert.ToBase64String(OneIn(2) ? Compression.Deflate("deflate", body) : body));
        if (OneIn(3)) body = Mutation.Apply(random, body);
        var encoding = OneIn(5) ? Pick(Encodings) : "";
        if (encoding is "gzip" or "deflate" or "br") body = Compression.Deflate(encoding, body);
        if (encoding == "zstd") using (var compressor = new ZstdSharp.Compressor()) body = compressor.Wrap(body).ToArray();
        if (encoding.Length > 0 && OneIn(3)) body = Mutation.Apply(random, body);

        var type = endpoint == "minidump" && !OneIn(5)
            ? "multipart/form-data; boundary=b"
            : Pick(["text/plain;charset=UTF-8", "application/x-sentry-envelope", "application/json", "\xff"]);
        var headers = new List<(string, string)> { ("Content-Type", type), ("Origin", "null") };
        if (encoding.Length > 0) headers.Add(("Content-Encoding", encoding));
        var query = "";
        switch (random.Next(5))
        {
            case 0: query = $"?sentry_key={sender.Key}&sentry_version=7"; break;
            case 1: headers.Add(("Authorization", $"Sentry sentry_key={sender.Key}")); break;
            case 2 when OneIn(3): headers.Add((SentryAuth.Header, HostileKeys.Pick(random, sender.Key).Value)); break;
            case 3: break;
            default: headers.Add((SentryAuth.Header, $"Sentry sentry_version=7, sentry_key={sender.Key}, sentry_client=fuzz")); break;
        }
        var application = OneIn(30) ? Pick(["0", "x", "%00", "2000000000", "\xff"]) : $"{sender.Id}";
        var path = $"/api/{application}/{endpoint}{(OneIn(2) ? "/" : "")}{query}";
        return new(
            "envelope", Input.Http("POST", path, headers, body, OneIn(3) ? random : null),
            (answer, _) => FaultOf(answer!))
        {
            IsBrokenHttp = true,
        };
    }

    /// <summary>The web server itself may refuse a header, without a body.</summary>
    private static string? FaultOf(Answer answer) =>
        answer.Status == 200 ? IdOf(answer) is null && answer.Json is null ? "JSON or an id was expected" : null
        : !Reasons.Contains($"{answer.Status}") ? "another status was expected"
        : answer.Body.Length > 0
        && (answer.Json?["detail"] is null || !answer.Headers.ContainsKey(SentryRefusal.ErrorHeader))
        ? "a detail was expected, and the header for developers"
        : null;

    /// <summary>Of the event that was stored; null if there was none.</summary>
    public static string? IdOf(Answer answer) =>
        answer.Json?["id"]?.Text ?? (Guid.TryParse(Encoding.Latin1.GetString(answer.Body), out var id) ? id.ToString("N") : null);

    private string Form()
    {
        var fields = Enumerable.Range(0, random.Next(5)).Select(_ => Pick(Fields).Replace("MARK", $"sent {number}.0"));
        return string.Concat(fields.Select(field => $"--b\r\nContent-Disposition: form-data; {field}\r\n")) + "--b--\r\n";
    }

    private string Payload() => OneIn(30) ? Encoding.Latin1.GetString(HostileShapes.Any(random, "sentry"))
        : Pick(Payloads).Replace("MARK", $"sent {number}.0").Replace("ID", new Guid(random.Next(20), 1, 1, new byte[8]).ToString("N"));

    private string Envelope()
    {
        var envelope = new StringBuilder(random.Next(6) switch
        {
            0 => "{}",
            1 => $"{{\"dsn\":\"http://{sender.Key}@localhost/{sender.Id}\"}}",
            2 => "{\"dsn\":7,\"event_id\":[],\"sent_at\":null}",
            3 => OneIn(3) ? "{\"dsn\":\"http://x@localhost/1\"}" : "{\"sdk\":{}}",
            4 => OneIn(3) ? new string(' ', 20_000) : "{ }\r",
            _ => $"{{\"event_id\":\"{new Guid(random.Next(20), 1, 1, new byte[8]):N}\"}}",
        });
        for (var items = random.Next(4); items > 0; items--)
        {
            var payload = Payload();
            envelope.Append('\n').Append(
                Pick(ItemHeaders).Replace(
                    "LENGTH", $"{payload.Length + (OneIn(10) ? random.Next(-3, 4) : 0)}")).Append('\n').Append(payload);
        }
        return envelope.Append(OneIn(2) ? "\n" : "").ToString();
    }
}
