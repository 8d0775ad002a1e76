using System.Text;
using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Log;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Intake.Sentry;

public sealed class SentryEventTests
{
    private static readonly DateTimeOffset ReceivedAt = new(2026, 1, 31, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData("\"2026-01-31T11:59:58.5Z\"", "2026-01-31T11:59:58.5000000+00:00")]
    [InlineData("\"2026-01-31T12:59:58+01:00\"", "2026-01-31T11:59:58.0000000+00:00")]
    [InlineData("\"2026-01-31T11:59:58.123456\"", "2026-01-31T11:59:58.1234560+00:00")]
    [InlineData("1769860798.123456", "2026-01-31T11:59:58.1234560+00:00")]
    [InlineData("1769860798", "2026-01-31T11:59:58.0000000+00:00")]
    [InlineData("\"1769860798.5\"", "2026-01-31T11:59:58.5000000+00:00")]
    [InlineData("-1.5", "1969-12-31T23:59:58.5000000+00:00")]
    [InlineData("null", "2026-01-31T12:00:00.0000000+00:00")]
    public void times_are_text_or_seconds(string timestamp, string expected) =>
        Assert.Equal(expected, Map($$"""{"message":"m","timestamp":{{timestamp}}}""").OccurredAt.ToString("O"));

    [Theory]
    [InlineData("\"yesterday\"")]
    [InlineData("1e300")]
    [InlineData("1e400")]
    [InlineData("999999999999")]
    [InlineData("-999999999999")]
    [InlineData("true")]
    [InlineData("[]")]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    public void what_is_no_time_is_named_and_the_event_is_kept(string timestamp)
    {
        var error = Map($$"""{"message":"m","timestamp":{{timestamp}}}""");
        Assert.Equal((ReceivedAt, "m"), (error.OccurredAt, error.Message));
        Assert.Equal("is no time: received_at took its place", Context(error).GetProperty("dropped").GetProperty("timestamp").GetString());
    }

    [Theory]
    [InlineData("\"fatal\"", "CRITICAL")]
    [InlineData("\"critical\"", "CRITICAL")]
    [InlineData("\"Warn\"", "WARNING")]
    [InlineData("\"log\"", "INFO")]
    [InlineData("\"debug\"", "DEBUG")]
    [InlineData("30", "WARNING")]
    [InlineData("null", "ERROR")]
    [InlineData("\"loud\"", "ERROR")]
    [InlineData("{}", "ERROR")]
    public void levels_have_aliases(string level, string expected) =>
        Assert.Equal(expected, Map($$"""{"message":"m","level":{{level}}}""").Level);

    [Theory]
    [InlineData("""{"message":"m"}""", "m")]
    [InlineData("""{"message":{"formatted":"a 1","message":"a %s","params":[1]}}""", "a 1")]
    [InlineData("""{"message":{"message":"a %s","params":[1]}}""", "a 1")]
    [InlineData("""{"logentry":{"message":"%s of %-5.2f%% failed: %(why)s","params":["x",7]}}""", "x of 7% failed: %(why)s")]
    [InlineData("""{"logentry":{"message":"%(what)s is %(a.b)s","params":{"what":null,"a.b":1}}}""", " is %(a.b)s")]
    [InlineData("""{"logentry":{"message":"{} {0} {name} {9}","params":["x"]}}""", "x x {name} {9}")]
    [InlineData("""{"logentry":{"message":"{name}: {}","params":{"name":"n"}}}""", "n: {}")]
    [InlineData("""{"logentry":{"message":"100%","params":7}}""", "100%")]
    [InlineData("""{"logentry":{"formatted":"l"},"message":"m"}""", "l")]
    [InlineData("""{"logentry":"l"}""", "l")]
    [InlineData("""{"message":7}""", "7")]
    [InlineData("""{"message":"","exception":[]}""", "(no message)")]
    [InlineData("""{"transaction":"GET /cart"}""", "GET /cart")]
    [InlineData("""{"message":" \n","transaction":"GET /cart"}""", "GET /cart")]
    [InlineData(
        """{"platform":"native","level":"fatal","threads":[{"stacktrace":{"frames":[{"instruction_addr":"0x1"}]}}]}""",
        "Native crash")]
    [InlineData("""{"platform":"native","level":"error"}""", "(no message)")]
    [InlineData("""{}""", "(no message)")]
    [InlineData("""{"exception":{"values":[{"type":"Cause","value":"c"},{"type":"Caught","value":"e"}]},"message":"m"}""", "Caught: e")]
    [InlineData("""{"exception":[{"type":"Caught","value":"e"},null]}""", "Caught: e")]
    [InlineData("""{"exception":{"type":"Caught","value":{"code":7}}}""", "Caught: {\"code\":7}")]
    [InlineData("""{"exception":{"values":[{"type":"Caught"}]}}""", "Caught")]
    [InlineData("""{"exception":{"values":[{"value":"e"}]}}""", "e")]
    [InlineData("""{"exception":{"values":[{"module":"x"}]},"message":"m"}""", "m")]
    [InlineData("""{"exception":{"values":["text",7]},"message":"m"}""", "m")]
    [InlineData("""{"exception":"text","message":"m"}""", "m")]
    [InlineData("""{"sentry.interfaces.Exception":{"type":"Old","value":"e"}}""", "Old: e")]
    [InlineData("""{"exception":{"values":[{"type":"Cause","value":"c"},{"module":"x"}]},"message":"m"}""", "Cause: c")]
    [InlineData("""{"exception":"boom"}""", "boom")]
    [InlineData("""{"exception":{"values":["first","boom"]}}""", "boom")]
    [InlineData("""{"exception":["boom",null,{"module":"x"}],"transaction":"t"}""", "boom")]
    [InlineData("""{"exception":{"values":"boom"},"message":"m"}""", "m")]
    [InlineData("""{"exception":[[]],"culprit":"c"}""", "c")]
    public void the_message_is_the_last_exception_or_what_is_said(string sent, string message) => Assert.Equal(message, Map(sent).Message);

    [Fact]
    public void exceptions_and_threads_become_the_stack_with_their_frames()
    {
        var error = Map("""
            {"exception":{"values":[{"type":"T","value":"v","module":"m","mechanism":{"type":"generic","handled":false},
            "thread_id":7,"stacktrace":{"frames":[{"function":"main","lineno":1},{"function":"f"}],"registers":{"rip":"0x0"}}}]},
             "threads":[{"id":7,"crashed":true,"stacktrace":{"frames":[]}}]}
            """);
        var stack = JsonDocument.Parse(error.Stack!.Utf8).RootElement;
        Assert.Equal(
            """{"type":"T","value":"v","module":"m","mechanism":{"type":"generic","handled":false},"thread_id":7"""
            + ""","frames":[{"function":"main","lineno":1},{"function":"f"}],"stacktrace":{"registers":{"rip":"0x0"}}}""",
            stack.GetProperty("exceptions")[0].GetRawText());
        Assert.Equal("""{"id":7,"crashed":true,"frames":[]}""", stack.GetProperty("threads")[0].GetRawText());
    }

    [Fact]
    public void an_exception_or_stack_that_is_plain_text_is_kept()
    {
        var error = Map("""{"exception":["boom",{"type":"T","stacktrace":"at f\nat g"},[1e999]],"stacktrace":"at h"}""");
        Assert.Equal("""{"exceptions":[{"value":"boom"},{"type":"T","stacktrace":"at f\nat g"},{"value":["1e999"]}],"stacktrace":"at h"}""",
            Encoding.UTF8.GetString(error.Stack!.Utf8.Span));
        Assert.Equal(["exception", "exceptions.value.0"], Dropped(error));
    }

    [Theory]
    [InlineData("""{"a":"b","n":7,"t":true,"o":{"x":1},"z":null}""", """{"a":"b","n":"7","t":"true","o":"{\"x\":1}"}""")]
    [InlineData("""[["a","b"],["n",7],null,["x"],[1,2]]""", """{"a":"b","n":"7"}""")]
    [InlineData("""[{"key":"a","value":"b"}]""", """{"a":"b"}""")]
    public void tags_are_an_object_or_pairs_and_become_text(string tags, string expected) =>
        Assert.Equal(
            expected, Encoding.UTF8.GetString(
                Map($$"""{"tags":{{tags}}}""").Tags!.Utf8.Span).Replace("\\u0022", "\\\""));

    [Fact]
    public void tags_beyond_those_that_the_log_takes_are_kept_in_the_context()
    {
        var error = Map($$$"""{"tags":{{{{string.Join(',', Enumerable.Range(0, 150).Select(i => $"\"t{i}\":{i}"))}}}}}""");
        Assert.Equal(EventLimits.MostTags, JsonDocument.Parse(error.Tags!.Utf8).RootElement.EnumerateObject().Count());
        Assert.Equal(["tags"], Dropped(error));
        Assert.Equal(Enumerable.Range(EventLimits.MostTags, 150 - EventLimits.MostTags).Select(i => ($"t{i}", $"{i}")),
            Context(error).GetProperty("tags").EnumerateObject().Select(tag => (tag.Name, tag.Value.GetString()!)));
    }

    [Fact]
    public void a_long_message_is_cut_and_named()
    {
        var error = Map($$"""{"message":"{{string.Concat(Enumerable.Repeat("💥", EventLimits.LongestMessage + 1))}}"}""");
        Assert.Equal(EventLimits.LongestMessage, error.Message.EnumerateRunes().Count());
        Assert.Equal(["message"], Dropped(error));
        Assert.Equal(2 * (EventLimits.LongestMessage + 1), Context(error).GetProperty("message").GetString()!.Length);
    }

    [Fact]
    public void all_else_is_kept_as_it_was_sent()
    {
        const string Members =
            "\"" + """platform":"python","release":"1","environment":"e","server_name":"s","transaction":"t"""
            + "\"" + ""","user":{"id":1},"contexts":{"os":{}},"breadcrumbs":{"values":[1]},"request":{"url":"u"}"""
            + ""","extra":{"x":[1.10]},"fingerprint":["f"],"modules":{"m":"1"},"sdk":{"name":"n"},"Unknown":[null]""";
        var error = Map($$"""{"event_id":"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10","timestamp":1,"message":"m",{{Members}}}""");
        Assert.Equal(
            $$"""{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10",{{Members}}}""",
            Encoding.UTF8.GetString(error.Context!.Utf8.Span));
        Assert.Null(error.Stack);
        Assert.Null(error.Tags);
    }

    [Fact]
    public void numbers_that_the_log_cannot_hold_become_text()
    {
        var error = Map("""{"timestamp":1,"extra":{"a":[1,1e999,{"b":NaN}],"s":"NaN \"Infinity\""},"user":{"id":Infinity}}""");
        Assert.Equal(
            """{"extra":{"a":[1,"1e999",{"b":"NaN"}],"s":"NaN \"Infinity\""},"user":{"id":"Infinity"},"dropped":"""
            + """{"extra.a.1":"is a number out of range: kept as text"}}""",
            Encoding.UTF8.GetString(error.Context!.Utf8.Span));
    }

    [Fact]
    public void what_is_nested_too_deep_is_cut_there()
    {
        var error = Map($$$"""{"extra":{"deep":{{{new string('[', 100_000)}}}{{{new string(']', 100_000)}}}}}""");
        Assert.StartsWith("extra.deep.0.0.", Assert.Single(Dropped(error)));
        JsonSerializer.Deserialize<ErrorOccurred>(error.ToStored());
    }

    [Fact]
    public void numbers_are_found_wherever_they_are_nested()
    {
        var error = Map("""{"timestamp":1,"extra":{"a":[[],{"x":[0,{"n\"o":[7,-1e999]}],"y":{}},1e-999]},"k":1e999}""");
        Assert.Equal("""{"a":[[],{"x":[0,{"n\"o":[7,"-1e999"]}],"y":{}},"1e-999"]}""", Context(error).GetProperty("extra").GetRawText());
        Assert.Equal(["extra.a.1.x.1.n\"o.1", "extra.a.2", "k"], Dropped(error));
    }

    [Fact]
    public void what_is_more_than_can_be_named_is_counted()
    {
        var error = Map($$"""{"extra":[{{string.Join(',', Enumerable.Repeat("1e999", 1_060))}}]}""");
        Assert.Equal(51, Dropped(error).Count());
        Assert.Equal("1,010 more are not named", Context(error).GetProperty("dropped").GetProperty("*").GetString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("{\"a\":")]
    [InlineData("{\"a\":nan}")]
    public void what_is_no_object_is_no_event(string sent) =>
        Assert.Null(SentryEvent.Parse(Encoding.UTF8.GetBytes(sent), null, ReceivedAt).Incoming);

    [Fact]
    public void text_that_the_log_cannot_hold_is_replaced()
    {
        var error = SentryEvent.Parse((byte[])[.. "{\"message\":\"a\\u0000\\ud800b"u8, 0xff, .. "\"}"u8], null, ReceivedAt).Incoming!.Error;
        Assert.Equal("a\ufffd\ufffdb\ufffd", error.Message);
    }

    [Theory]
    [InlineData("7d3f1f0e6f3b4f649a550d6f7c1f2a10", null, "7d3f1f0e6f3b4f649a550d6f7c1f2a10")]
    [InlineData("7d3f1f0e6f3b4f649a550d6f7c1f2a10", "00000000-0000-0000-0000-000000000001", "00000000000000000000000000000001")]
    [InlineData("no id", "none either", null)]
    public void the_id_of_the_envelope_goes_first(string own, string? header, string? expected) =>
        Assert.Equal(
            expected,
            SentryEvent.Parse(
                Encoding.UTF8.GetBytes($$"""{"event_id":"{{own}}"}"""), header,
                ReceivedAt).Incoming!.EventId?.ToString("N"));

    /// <summary>Each becomes an object with it as its value, so that a MiB of them would be stored as six.</summary>
    [Theory]
    [InlineData(100, 100)]
    [InlineData(3_000, 100)]
    public void of_items_that_are_no_objects_the_last_are_kept(int sent, int expected)
    {
        var texts = string.Join(',', Enumerable.Range(1, sent).Select(i => $"\"{i}\",{{}}"));
        var error = Map($$"""{"exception":[{{texts}}]}""");
        var kept = JsonDocument.Parse(error.Stack!.Utf8).RootElement.GetProperty("exceptions").EnumerateArray().ToList();
        var values = kept.Where(item => item.TryGetProperty("value", out _)).ToList();
        Assert.Equal((expected, sent), (values.Count, kept.Count - values.Count));
        Assert.Equal(($"{sent}", $"{sent}"), (error.Message, values[^1].GetProperty("value").GetString()));
        Assert.Equal(["exception"], Dropped(error));
    }

    [Fact]
    public void a_transaction_is_no_error() =>
        Assert.Equal(
            "transaction", SentryEvent.Parse("""{"type":"transaction"}"""u8.ToArray(), null, ReceivedAt).OtherType);

    /// <summary>
    /// Members of any kind in any place: nothing is thrown, and what comes out is an event that the log takes.
    /// </summary>
    [Property(MaxTest = 1000)]
    public Property no_event_throws() =>
        Prop.ForAll(
            Gen.Elements(
                "timestamp", "level", "message", "logentry", "exception", "threads", "stacktrace", "tags", "extra",
                "event_id", "transaction", "dropped", "type").ArrayOf().Resize(8).ToArbitrary(),
        Json(3).ArrayOf().Resize(8).ToArbitrary(), (names, values) =>
        {
            var json = "{" + string.Join(',', names.Zip(values, (name, value) => $"\"{name}\":{value}")) + "}";
            if (SentryEvent.Parse(Encoding.UTF8.GetBytes(json), null, ReceivedAt) is not ({ Error: var error }, _)) return false;
            var stored = JsonSerializer.Deserialize<ErrorOccurred>(error.ToStored())!;
            return stored.Message.Length > 0 && Levels.All.Contains(stored.Level);
        });

    private static Gen<string> Json(int depth)
    {
        var leaf = Gen.Elements(
            "null", "true", "7", "-1e999", "1769860798.5", "\"\"", "\"text\"", "\"\\u0000\\udc00\"", "NaN", "-Infinity",
            "\"error\"", "\"type\"");
        if (depth == 0) return leaf;
        var inner = Json(depth - 1).ArrayOf().Resize(4);
        return Gen.OneOf(leaf, inner.Select(items => $"[{string.Join(',', items)}]"),
            inner.SelectMany(items => Gen.Elements(
                "values", "frames", "stacktrace", "type", "value", "formatted", "message", "key", "a").ArrayOf(items.Length)
                .Select(names => "{" + string.Join(',', names.Zip(items, (name, item) => $"\"{name}\":{item}")) + "}")));
    }

    private static ErrorOccurred Map(string sent) => SentryEvent.Parse(Encoding.UTF8.GetBytes(sent), null, ReceivedAt).Incoming!.Error;

    private static JsonElement Context(ErrorOccurred error) => JsonDocument.Parse(error.Context!.Utf8).RootElement;

    private static IEnumerable<string> Dropped(ErrorOccurred error) =>
        Context(error).GetProperty("dropped").EnumerateObject().Select(member => member.Name);
}
