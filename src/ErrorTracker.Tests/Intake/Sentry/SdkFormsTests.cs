using System.Text;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SdkFormsTests(SharedApi shared) : SdkRequests(shared)
{
    /// <summary>What SDKs of other languages send, by their forms.</summary>
    [Theory]
    [InlineData(
        "python", "ValueError: bad\\ninput", "CRITICAL",
        """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","level":"fatal","platform":"python","exception":"""
        + """{"values":[{"mechanism":{"type":"excepthook","handled":false},"module":null,"type":"ValueError","value":"""
        + "\"bad\\ninput\","
        + """ "stacktrace":{"frames":[{"filename":"a.py","lineno":3,"vars":{"x":"NaN","y":NaN,"z":-Infinity}}]}}]}"""
        + ""","extra":{"sys.argv":["a.py"]},"modules":{"pip":"24"},"contexts":{"trace":{"trace_id":"t"}}"""
        + ""","timestamp":"2026-01-31T12:00:00.123456Z","_meta":{"":{}}}""")]
    [InlineData(
        "ruby", "ZeroDivisionError: divided by 0 (ZeroDivisionError)", "ERROR",
        """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","platform":"ruby","level":"error","user":{},"tags":{}"""
        + ""","exception":{"values":[{"type":"ZeroDivisionError","value":"divided by 0 (ZeroDivisionError)","module":"", """
        + """ "thread_id":70,"stacktrace":{"frames":[{"abs_path":"a.rb","lineno":1}]}}]}"""
        + ""","timestamp":"2026-01-31T12:00:00Z","breadcrumbs":{"values":[]}}""")]
    [InlineData(
        "go", "*errors.errorString: oops", "ERROR",
        """{"contexts":{"device":{"arch":"amd64"}}"""
        + ""","event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","level":"error","platform":"go","sdk":"""
        + """{"name":"sentry.go"},"server_name":"h","user":{},"exception":"""
        + """[{"type":"*errors.errorString","value":"oops","stacktrace":{"frames":[{"function":"main"}]}}]"""
        + ""","timestamp":"2026-01-31T12:00:00.123456789Z"}""")]
    [InlineData(
        "java", "IllegalStateException: no", "ERROR",
        """{"timestamp":"2026-01-31T12:00:00.123Z","exception":{"values":[{"type":"Cause","value":"c"}"""
        + """,{"type":"IllegalStateException","value":"no","module":"java.lang","thread_id":1}]},"threads":"""
        + """{"values":[{"id":1,"name":"main","stacktrace":{"frames":[]}}]},"level":"error","fingerprint":[]"""
        + ""","event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","tags":[["k","v"],["n",1]]}""")]
    [InlineData(
        "php", "Undefined variable 1", "WARNING",
        """{"timestamp":1769860800.1234,"platform":"php","level":"warning","message":"""
        + """{"message":"Undefined variable %s","params":["1"],"formatted":"Undefined variable 1"},"tags":[]}""")]
    [InlineData(
        "javascript", "TypeError: x is not a function", "ERROR",
        """{"exception":{"values":[{"type":"TypeError","value":"x is not a function","stacktrace":{"frames":"""
        + """[{"colno":7}]},"mechanism":{"type":"onerror","handled":false}}]}"""
        + ""","event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","platform":"javascript","request":"""
        + """{"url":"https://shop"},"timestamp":1769860800.123,"environment":"production","sdk":{"integrations":[]}"""
        + ""","breadcrumbs":[{"timestamp":1,"category":"ui.click"}]}""")]
    [InlineData(
        "unity", "NullReferenceException: Object reference", "ERROR",
        """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T13:00:00.5+01:00","logentry":"""
        + """null,"level":"error","exception":{"values":"""
        + """[{"type":"NullReferenceException","value":"Object reference","thread_id":0}]},"contexts":{"unity":"""
        + """{"type":"unity"},"gpu":{"memory_size":1e400}},"debug_meta":{"images":[]}}""")]
    [InlineData(
        "native", "Native crash", "CRITICAL",
        """{"event_id":"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10","level":"fatal","platform":"native","breadcrumbs":[]"""
        + ""","timestamp":"2026-01-31T12:00:00.000000Z","user":{"id":"\u0000\ud83d"}}""")]
    [InlineData(
        "raven", "an old message", "WARNING",
        """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:00:00","level":30"""
        + ""","logger":"root","message":"an old message","sentry.interfaces.Message":"""
        + """{"message":"an old message","params":[]},"tags":{"a":null,"b":1.5},"time_spent":null}""")]
    public async Task events_of_all_sdks_are_stored_whole(string sdk, string message, string level, string sent)
    {
        var sender = await Api.RegisterAsync();
        var header =
            $$"""{"event_id":"{{Id}}","sent_at":"2026-01-31T12:00:01Z","sdk":{"name":"sentry.{{sdk}}"},"trace":{"public_key":"x"} }""";
        var others =
            $"{{\"type\":\"sessions\"}}\n{{\"aggregates\":[{{\"started\":\"2026-01-31T12:00:00Z\","
            + $"\"errored\":1}}]}}\n{{\"type\":\"attachment\",\"length\":4,\"filename\":\"m.dmp\","
            + $"\"attachment_type\":\"event.minidump\"}}\nM\n\0P";
        var length = Encoding.UTF8.GetByteCount(sent);
        var item = $"{{\"type\":\"event\",\"length\":{length},\"content_type\":\"application/json\"}}\n{sent}";
        var answer = await PostAsync(sender, $"{header}\n{item}\n{others}");
        Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(answer));

        var read = await SingleAsync(sender);
        Assert.Equal(
            (message.Replace("\\n", "\n"), level),
            (read.GetProperty("message").GetString(), read.GetProperty("level").GetString()));
        Assert.Equal("2026-01-31T12:00:00", read.GetProperty("occurred_at").GetString()![..19]);
        Assert.Equal(Id, read.GetProperty("context").GetProperty("event_id").GetString());
    }
}
