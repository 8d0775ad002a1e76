using System.Text;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Bodies that are built to cost their parser as much CPU as they can: each is a unit that is repeated up to a size.
/// What a linear parser spends on them is a small multiple of what it spends on <c>Plain</c>, a body of the same size
/// as it is sent every day.
/// </summary>
internal static class HostileShapes
{
    /// <summary>As browsers send them.</summary>
    private const string Frame = """{"filename":"https://shop.example/app.js","function":"t","in_app":true,"lineno":1,"colno":23456}""";

    /// <param name="Unit">
    /// Repeated between the two others, with commas unless told otherwise. <c>#</c> is its number.
    /// </param>
    private sealed record Shape(string Start, string Unit, string End, string Separator = ",");

    private static readonly Shape PlainSentry = new(
        """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:34:56Z","exception":"""
        + """{"values":[{"type":"E","value":"v","stacktrace":{"frames":[""",
        Frame, "]}}]}}");

    private const string Template = "{\"logentry\":{\"message\":\"";

    private static readonly Dictionary<string, Shape> SentryShapes = new()
    {
        ["empty parameters of a list"] = new(Template, "{}", $"\",\"params\":[[]{Repeat(",\"\"", 100_000)}]}}}}", ""),
        ["empty parameters with names"] = new(Template, "{a}", $"\",\"params\":{{\"a\":\"\"{Repeat(",\"b\":\"\"", 50_000)}}}}}}}", ""),
        ["parameters among large ones"] = new(Template + Repeat("{7}", 1_000) + "\",\"params\":[\"\"", ",[0]", "]}}", ""),
        ["one large parameter"] = new(Template + Repeat("%s", 5_000) + "\",\"params\":[\"", "p", "\"]}}", ""),
        ["places that do not end"] = new(Template, "%(" + Repeat("n", 66), "\",\"params\":[]}}", ""),
        ["places with zeros"] = new(Template, "%0000000000.00000", "\",\"params\":[]}}", ""),
        ["a number out of range, deep"] = new("{\"extra\":" + Repeat("[", 48), "0", ",1e999" + Repeat("]", 48) + "}"),
        ["as deep as is read"] = new("{\"extra\":" + Repeat("[", 58), "0", Repeat("]", 58) + "}"),
        ["deeper than is read"] = new("{\"extra\":" + Repeat("[", 200), "[]", Repeat("]", 200) + "}"),
        ["nothing but depth"] = new("{\"extra\":", "[", "", ""),
        ["depth again and again"] = new("{\"extra\":[", Repeat("{\"a\":", 40) + "0" + Repeat("}", 40), "]}"),
        ["members of the event"] = new("{", "\"#\":0", "}"),
        ["members of one name"] = new("{", "\"message\":\"\"", "}"),
        ["names that are escaped"] = new("{", "\"\\u0061\\u0062#\":0", "}"),
        ["tags of an object"] = new("{\"tags\":{", "\"#\":0", "}}"),
        ["tags of a list"] = new("{\"tags\":[", "[\"#\",0]", "]}"),
        ["tags that are none"] = new("{\"tags\":[", "7", "]}"),
        ["exceptions"] = new("{\"exception\":[", "{}", "]}"),
        ["exceptions that are text"] = new("{\"exception\":[", "\"\"", "]}"),
        ["groups of groups"] = new(
            "{\"exception\":[",
            "{\"mechanism\":{\"exception_id\":#,\"parent_id\":1#,\"is_exception_group\":true}}",
            "]}"),
        ["an exception with members"] = new("{\"exception\":[{", "\"#\":0", "}]}"),
        ["threads"] = new("{\"threads\":[", "{\"stacktrace\":{\"frames\":[{}]}}", "]}"),
        ["frames"] = new("{\"stacktrace\":{\"frames\":[", "{}", "]}}"),
        ["members of a stacktrace"] = new("{\"stacktrace\":{", "\"#\":0", "}}"),
        ["numbers out of range"] = new("{\"extra\":[", "1e999", "]}"),
        ["numbers that grow"] = new("{\"extra\":[", "1e308", "]}"),
        ["tokens that JSON has not"] = new("{\"extra\":[", "NaN", "]}"),
        ["broken at its end"] = new("{\"extra\":[", "-1", ""),
        ["escapes that name no text"] = new("{\"message\":\"", "\\u0000\\ud800", "\"}", ""),
        ["backslashes"] = new("{\"extra\":\"", "\\\\", "\"}", ""),
        ["no UTF-8"] = new("{\"message\":\"", "\xff", "\"}", ""),
        ["a long message"] = new("{\"message\":\"", "\\ud83d\\udca5", "\"}", ""),
        ["a long time"] = new("{\"timestamp\":", "1", "}", ""),
        ["a long time in text"] = new("{\"timestamp\":\"2026-01-31T12:34:56.", "1", "Z\"}", ""),
        ["a long level"] = new("{\"level\":\"", "e", "\"}", ""),
        ["members of a user"] = new("{\"user\":{\"ip_address\":\"{{auto}}\"", ",\"#\":1e999", "}}", ""),
        ["blanks"] = new("{", " ", "}", ""),
    };

    private const string NativeStart = "{\"occurred_at\":\"2026-01-31T12:34:56Z\",\"level\":\"ERROR\",\"message\":\"m\"";

    private static readonly Shape PlainNative = new(NativeStart + ",\"stack\":{\"frames\":[", Frame, "]}}");

    private static readonly Dictionary<string, Shape> NativeShapes = new()
    {
        ["members of the event"] = new(NativeStart, ",\"#\":0", "}", ""),
        ["members of the stack"] = new(NativeStart + ",\"stack\":{", "\"#\":0", "}}"),
        ["as deep as is read"] = new(NativeStart + ",\"stack\":" + Repeat("{\"a\":", 61) + "[", "1", "]" + Repeat("}", 61) + "}"),
        ["nothing but depth"] = new(NativeStart + ",\"stack\":", "[", "", ""),
        ["tags"] = new(NativeStart + ",\"tags\":{", "\"#\":0", "}}"),
        ["numbers that grow"] = new(NativeStart + ",\"stack\":{\"a\":[", "1e308", "]}}"),
        ["small numbers"] = new(NativeStart + ",\"stack\":{\"a\":[", "0", "]}}"),
        ["a long time"] = new("{\"level\":\"ERROR\",\"message\":\"m\",\"occurred_at\":\"2026-01-31T12:34:56.", "1", "Z\"}", ""),
        ["a long level"] = new("{\"occurred_at\":\"2026-01-31T12:34:56Z\",\"message\":\"m\",\"level\":\"", "e", "\"}", ""),
        ["a long message"] = new(
            "{\"occurred_at\":\"2026-01-31T12:34:56Z\",\"level\":\"ERROR\",\"message\":\"",
            "\\ud83d\\udca5", "\"}", ""),
        ["a long event_id"] = new(NativeStart + ",\"event_id\":\"", "0", "\"}", ""),
        ["escapes that name no text"] = new(NativeStart + ",\"stack\":{\"a\":\"", "\\u0000\\ud800", "\"}}", ""),
        ["broken at its end"] = new(NativeStart + ",\"stack\":{\"a\":[", "-1", ""),
        ["blanks"] = new(NativeStart, " ", "}", ""),
    };

    private static readonly Shape PlainBatch = new("[", NativeStart + ",\"tags\":{\"region\":\"eu\"}}", "]");

    private static readonly Dictionary<string, Shape> BatchShapes = new()
    {
        ["nothing between commas"] = new("[", "", "]"),
        ["empty objects"] = new("[", "{}", "]"),
        ["broken events"] = new("[", "{x", "]"),
        ["brackets"] = new("[", "[", "", ""),
        ["texts"] = new("[", "\"\\\"\"", "]"),
        ["one large event"] = new("[" + NativeStart, ",\"#\":0", "}]", ""),
        ["blanks"] = new("[", " ", "]", ""),
        ["numbers"] = new("[{\"stack\":[", "0", "]}]"),
    };

    private static readonly Shape PlainEnvelope = new("{}\n", "{\"type\":\"attachment\",\"filename\":\"a.txt\"}\nsome text\n", "", "");

    private static readonly Dictionary<string, Shape> EnvelopeShapes = new()
    {
        ["lines that are empty"] = new("{}\n", "\n", "", ""),
        ["short headers"] = new("{}\n", "{\"type\":\"a\"}\n\n", "", ""),
        ["long headers"] = new("{}\n", "{\"type\":\"a\"" + Repeat(",\"k\":[]", 1_900) + "}\n\n", "", ""),
        ["deep headers"] = new(
            "{}\n",
            "{\"type\":\"a\",\"d\":" + Repeat("[", 14) + Repeat("0,", 7_000) + "0" + Repeat("]", 14) + "}\n\n",
            "", ""),
        ["headers of escapes"] = new("{}\n", "{\"type\":\"" + Repeat("\\u0000", 2_500) + "\"}\n\n", "", ""),
        ["items of no length"] = new("{}\n", "{\"type\":\"a\",\"length\":0}\n\n", "", ""),
        ["one large item"] = new("{}\n{\"type\":\"event\"}\n", "x", "", ""),
        ["line ends of Windows"] = new("{}\n", "\r\n", "", ""),
    };

    public static byte[] Plain(string parser, int size) => Build(ShapesOf(parser).Plain, size);

    public static IEnumerable<string> Names(string parser) => ShapesOf(parser).Hostile.Keys;

    public static byte[] Hostile(string parser, string name, int size) => Build(ShapesOf(parser).Hostile[name], size);

    /// <summary>One of them, mostly a small one.</summary>
    public static byte[] Any(Random random, string parser) =>
        Hostile(
            parser, random.GetItems(Names(parser).ToArray(), 1)[0],
            random.Next(10) == 0 ? random.Next(1024 * 1024) : random.Next(40_000));

    private static (Shape Plain, Dictionary<string, Shape> Hostile) ShapesOf(string parser) => parser switch
    {
        "sentry" => (PlainSentry, SentryShapes),
        "native" => (PlainNative, NativeShapes),
        "batch" => (PlainBatch, BatchShapes),
        _ => (PlainEnvelope, EnvelopeShapes),
    };

    private static byte[] Build(Shape shape, int size)
    {
        var body = new StringBuilder(shape.Start, size + shape.End.Length);
        for (var number = 0; body.Length + shape.Unit.Length + shape.Separator.Length + shape.End.Length + 12 < size; number++)
            body.Append(number == 0 ? "" : shape.Separator).Append(shape.Unit.Replace("#", $"{number}"));
        return Encoding.Latin1.GetBytes(body.Append(shape.End).ToString());
    }

    private static string Repeat(string unit, int times) => new StringBuilder(unit.Length * times).Insert(0, unit, times).ToString();
}
