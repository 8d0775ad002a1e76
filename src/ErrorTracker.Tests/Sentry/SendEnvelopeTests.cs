using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using ErrorTracker.Ingestion;
using ErrorTracker.Sentry;
using ErrorTracker.Tests.Abuse;
using Microsoft.AspNetCore.Http;

namespace ErrorTracker.Tests.Sentry;

[Collection(nameof(OnPostgres))]
public sealed class SendEnvelopeTests(SharedApi shared)
{
    private const string Id = "7d3f1f0e6f3b4f649a550d6f7c1f2a10", Event = """{"timestamp":"2026-01-31T12:00:00Z","level":"error","message":"boom"}""";

    private readonly TestApi _api = shared.Api;

    private static string Envelope(string @event = Event, string header = $$"""{"event_id":"{{Id}}"}""") => $"{header}\n{{\"type\":\"event\"}}\n{@event}\n";

    [Theory]
    [InlineData("envelope")]
    [InlineData("envelope/")]
    [InlineData("store")]
    [InlineData("store/")]
    public async Task an_event_is_committed_when_it_is_answered(string endpoint)
    {
        var sender = await _api.RegisterAsync();
        var body = endpoint.StartsWith("store") ? $$"""{"event_id":"{{Id}}",{{Event[1..]}}""" : Envelope();
        var answer = await PostAsync(sender, body, endpoint);
        Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(answer));
        Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.False(answer.Headers.Contains(SentryRefusal.LimitsHeader));

        var read = await SingleAsync(sender);
        Assert.Equal(("boom", "ERROR", "2026-01-31T12:00:00Z"), (read.GetProperty("message").GetString(), read.GetProperty("level").GetString(), read.GetProperty("occurred_at").GetString()));
        Assert.Equal(Id, read.GetProperty("context").GetProperty("event_id").GetString());
        Assert.Equal(read.GetRawText(), (await _api.GetAsync($"/apps/{sender.Id}/events/{read.GetProperty("id").GetString()}")).GetRawText());
    }

    [Fact]
    public async Task native_answers_have_no_context()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        Assert.False((await SingleAsync(sender)).TryGetProperty("context", out _));
    }

    [Fact]
    public async Task an_event_without_an_id_gets_one()
    {
        var sender = await _api.RegisterAsync();
        Assert.Matches("""^{"id":"[0-9a-f]{32}"}$""", await AcceptedAsync(await PostAsync(sender, Envelope(header: "{}"))));
    }

    [Fact]
    public async Task a_registration_answers_the_dsn()
    {
        var registered = await _api.SendAsync(HttpMethod.Post, "/apps/dsn-" + Guid.NewGuid(), expected: 201);
        var (id, key) = (registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!);
        Assert.Equal($"http://{key}@localhost/{id}", registered.GetProperty("dsn").GetString());
        Assert.Equal((key, id), SentryAuth.OfDsn(registered.GetProperty("dsn").GetString()!));
    }

    public static TheoryData<int, string?, string?, string?, string?> Credentials => new()
    {
        { 200, "Sentry sentry_version=7, sentry_key={key}", null, null, null },
        { 200, null, "Sentry sentry_key={key}, sentry_version=7", null, null },
        { 200, null, null, "?sentry_key={key}&sentry_version=7", null },
        { 200, null, null, null, "http://{key}@host/{app}" },
        { 200, "Sentry sentry_key={key}", "Sentry sentry_key={key}", "?sentry_key={key}", "http://{key}:secret@host/{app}" },
        { 200, null, "Bearer of something else", "?sentry_key={key}", null },
        { 401, null, null, null, null },
        { 401, "Sentry sentry_version=7", "Basic eDp5", "?sentry_key=", null },
        { 401, null, null, null, "no dsn" },
        { 403, "Sentry sentry_key=00000000000000000000000000000000", null, null, null },
        { 403, null, null, null, "http://00000000000000000000000000000000@host/{app}" },
        { 403, "Sentry sentry_key={key}", null, "?sentry_key=other", null },
        { 403, "Sentry sentry_key={key}", null, null, "http://other@host/{app}" },
        { 403, "Sentry sentry_key={key}", null, null, "http://{key}@host/2000000000" },
        { 403, null, null, null, "http://{key}@host/2000000000" },
        { 403, "Sentry sentry_key={key}", null, null, "no dsn" },
    };

    [Theory]
    [MemberData(nameof(Credentials))]
    public async Task a_key_is_shown_in_any_way_and_all_ways_agree(int expected, string? header, string? authorization, string? query, string? dsn)
    {
        var sender = await _api.RegisterAsync();
        string Fill(string text) => text.Replace("{key}", sender.Key).Replace("{app}", $"{sender.Id}");
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{sender.Id}/envelope/{Fill(query ?? "")}") { Content = new StringContent(Envelope(header: dsn is null ? "{}" : $$"""{"dsn":"{{Fill(dsn)}}"}""")) };
        if (header is not null) request.Headers.Add(SentryAuth.Header, Fill(header));
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", Fill(authorization));
        var answer = await _api.Host.Server.CreateClient().SendAsync(request);
        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Equal(expected == 200 ? 1 : 0, (await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
        if (expected != 200) await RefusedAsync(answer, expected);
    }

    [Theory]
    [InlineData("/api/{app}/envelope/?sentry_key=wrong", 403, 0)]
    [InlineData("/api/{app}/envelope/?sentry_key=wrong&sentry_key=other", 403, 0)]
    [InlineData("/api/{app}/store/", 401, 0)]
    [InlineData("/api/x/envelope/", 400, 0)]
    [InlineData("/api/{app}/envelope/", 401, 32 * 1024)]
    public async Task a_body_is_not_read_before_its_sender_is_known(string path, int expected, int most)
    {
        var sender = await _api.RegisterAsync();
        var body = new EndlessBody();
        await _api.Host.Scenario(x =>
        {
            x.ConfigureHttpContext(http =>
            {
                http.Request.Method = "POST";
                http.Request.Path = path.Split('?')[0].Replace("{app}", $"{sender.Id}");
                http.Request.QueryString = new(path.Contains('?') ? path[path.IndexOf('?')..] : "");
                http.Request.Body = body;
            });
            x.StatusCodeShouldBe(expected);
        });
        Assert.InRange(body.Taken, 0, most);
    }

    private sealed class EndlessBody : MemoryStream
    {
        public int Taken { get; private set; }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken stop = default)
        {
            buffer.Span.Fill((byte)'x');
            Taken += buffer.Length;
            return new(buffer.Length);
        }
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("br")]
    [InlineData("zstd")]
    [InlineData("identity")]
    public async Task bodies_are_inflated(string encoding)
    {
        var sender = await _api.RegisterAsync();
        var body = Encoding.UTF8.GetBytes(Envelope());
        var sent = encoding switch
        {
            "zstd" => Zstd(body),
            "identity" => body,
            _ => Compression.Deflate(encoding, body),
        };
        await AcceptedAsync(await PostAsync(sender, sent, encoding: encoding));
        Assert.Equal("boom", (await SingleAsync(sender)).GetProperty("message").GetString());
        if (encoding != "identity") await RefusedAsync(await PostAsync(sender, sent[..^3], encoding: encoding), 400);
    }

    [Theory]
    [InlineData("gzip", 400)]
    [InlineData("zstd", 400)]
    [InlineData("br", 400)]
    [InlineData("deflate", 400)]
    [InlineData("compress", 415)]
    [InlineData("gzip, gzip", 415)]
    public async Task what_is_not_compressed_as_it_says_is_refused(string encoding, int expected) =>
        await RefusedAsync(await PostAsync(await _api.RegisterAsync(), Encoding.UTF8.GetBytes(Envelope()), encoding: encoding), expected);

    /// <summary>A window of 2 GiB, asked for in a frame's first bytes.</summary>
    [Fact]
    public async Task a_zstd_window_that_needs_much_memory_is_refused() =>
        await RefusedAsync(await PostAsync(await _api.RegisterAsync(), [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00], encoding: "zstd"), 400);

    [Fact]
    public async Task what_is_inflated_beyond_100_mebibytes_is_refused()
    {
        var body = Compression.Deflate("gzip", [.. Encoding.UTF8.GetBytes($"{{}}\n{{\"type\":\"attachment\",\"length\":{Intake.LargestInflated}}}\n"), .. new byte[Intake.LargestInflated]]);
        await RefusedAsync(await PostAsync(await _api.RegisterAsync(), body, encoding: "gzip"), 413);
    }

    [Fact]
    public async Task a_large_attachment_beside_an_event_is_passed_over()
    {
        var sender = await _api.RegisterAsync();
        var answer = await PostAsync(sender, [.. Encoding.UTF8.GetBytes($"{{}}\n{{\"type\":\"attachment\",\"attachment_type\":\"event.minidump\",\"length\":8000000}}\n"), .. new byte[8_000_000], .. Encoding.UTF8.GetBytes($"\n{{\"type\":\"event\"}}\n{Event}")]);
        await AcceptedAsync(answer);
        Assert.Equal("3600:attachment:project:not_kept", Assert.Single(answer.Headers.GetValues(SentryRefusal.LimitsHeader)));
        await SingleAsync(sender);
    }

    [Fact]
    public async Task an_event_over_1_mebibyte_is_refused()
    {
        var sender = await _api.RegisterAsync();
        string Padded(int size) => Event[..^1] + $",\"pad\":\"{new string('p', size - Event.Length - 9)}\"}}";
        await AcceptedAsync(await PostAsync(sender, Envelope(Padded(EventBody.Largest), "{}")));
        await AcceptedAsync(await PostAsync(sender, Padded(EventBody.Largest), "store"));
        await RefusedAsync(await PostAsync(sender, Envelope(Padded(EventBody.Largest + 1))), 413);
        await RefusedAsync(await PostAsync(sender, Padded(EventBody.Largest + 1), "store"), 413);
    }

    [Theory]
    [InlineData("", 400)]
    [InlineData("{}\n{\"type\":\"event\"}\n{}\n{\"type\":\"event\"}\n{}\n", 400)]
    [InlineData("{}\n{\"type\":\"event\"}\nno json\n", 400)]
    [InlineData("{}\n{\"type\":\"event\",\"length\":100}\n{}\n", 400)]
    [InlineData("{}\n{\"type\":7}\n{}\n", 400)]
    [InlineData("no json\n", 400)]
    public async Task what_is_no_envelope_is_refused_as_a_whole(string body, int expected)
    {
        var sender = await _api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender, body), expected);
        Assert.Empty((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("{}\n{\"type\":\"unheard_of\"}\n{}\n", null)]
    [InlineData("{}\n{\"type\":\"user_report\"}\n{}\n", null)]
    [InlineData("{}\n{\"type\":\"transaction\"}\n{}\n{\"type\":\"sessions\"}\n{\"aggregates\":[]}\n", "3600:session;transaction:project:not_kept")]
    [InlineData("{}\n{\"type\":\"event\"}\n{\"type\":\"transaction\"}", "3600:transaction:project:not_kept")]
    [InlineData("{}\n{\"type\":\"replay_event\"}\n{}\n{\"type\":\"replay_recording\",\"length\":3}\n\n\0\n\n{\"type\":\"check_in\"}\n{}", "3600:monitor;replay:project:not_kept")]
    [InlineData("{}\n{\"type\":\"log\",\"item_count\":1}\n{\"items\":[]}\n{\"type\":\"trace_metric\"}\n{}\n{\"type\":\"statsd\"}\na@none:1|c\n{\"type\":\"profile_chunk\"}\n{}", "3600:log_item;metric;metric_bucket;profile;profile_chunk;trace_metric:project:not_kept")]
    public async Task without_an_event_the_answer_is_empty_and_asks_not_to_send_what_is_not_kept(string body, string? limits)
    {
        var answer = await PostAsync(await _api.RegisterAsync(), body);
        Assert.Equal("{}", await AcceptedAsync(answer));
        Assert.Equal(limits, answer.Headers.TryGetValues(SentryRefusal.LimitsHeader, out var values) ? values.Single() : null);
    }

    [Theory]
    [InlineData(Event)]
    [InlineData("""{"message":"undated"}""")]
    public async Task an_event_that_is_sent_again_is_stored_once(string sent)
    {
        var sender = await _api.RegisterAsync();
        foreach (var body in new[] { Envelope(sent), Envelope(sent), Envelope("""{"message":"other"}""") })
            Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(await PostAsync(sender, body)));
        await SingleAsync(sender);
        var loss = await LossAsync(sender);
        Assert.Equal((3, 1, 1), (loss.GetProperty("received").GetInt32(), loss.GetProperty("accepted").GetInt32(), loss.GetProperty("duplicates").GetInt32()));
        Assert.Equal("""[{"reason":"conflicting","count":1}]""", loss.GetProperty("refused").GetRawText());
    }

    [Fact]
    public async Task where_there_is_no_room_sdks_are_asked_to_wait()
    {
        var sender = await _api.RegisterAsync();
        using var taken = _api.Queue.RoomFor(sender.Id);
        while (taken.TryTake(64 * 1024)) { }
        while (taken.TryTake(1024)) { }
        var answer = await PostAsync(sender, Envelope());
        await RefusedAsync(answer, 429);
        Assert.Equal(("1", "1::project:no_room"), (answer.Headers.GetValues("Retry-After").Single(), answer.Headers.GetValues(SentryRefusal.LimitsHeader).Single()));
    }

    [Theory]
    [InlineData("envelope/")]
    [InlineData("store")]
    public async Task browsers_may_send_from_any_page(string endpoint)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, $"/api/1/{endpoint}") { Headers = { { "Origin", "https://shop.example" }, { "Access-Control-Request-Method", "POST" }, { "Access-Control-Request-Headers", "x-sentry-auth,content-type" } } };
        var answer = await _api.Host.Server.CreateClient().SendAsync(request);
        Assert.Equal(204, (int)answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("X-Sentry-Auth", answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Equal("POST", answer.Headers.GetValues("Access-Control-Allow-Methods").Single());
    }

    [Theory]
    [InlineData("/apps")]
    [InlineData("/api/1/other")]
    public async Task other_endpoints_stay_closed_to_pages(string path) =>
        Assert.False((await _api.Host.Server.CreateClient().SendAsync(new(HttpMethod.Options, path))).Headers.Contains("Access-Control-Allow-Origin"));

    /// <summary>raven, the SDK before this one, compressed with zlib and wrote Base64.</summary>
    [Fact]
    public async Task a_stored_event_may_be_zlib_in_base64()
    {
        var sender = await _api.RegisterAsync();
        foreach (var compressed in new[] { Compression.Deflate("deflate", Encoding.UTF8.GetBytes(Event)) })
            await AcceptedAsync(await PostAsync(sender, Encoding.ASCII.GetBytes(Convert.ToBase64String(compressed)), "store", type: "application/octet-stream"));
        await SingleAsync(sender);
        foreach (var broken in new[] { "====", "eNqr", Convert.ToBase64String("no zlib"u8), "\u00ff" }) await RefusedAsync(await PostAsync(sender, broken, "store"), 400);
        await RefusedAsync(await PostAsync(sender, Encoding.ASCII.GetBytes(Convert.ToBase64String(Compression.Deflate("deflate", new byte[EventBody.Largest + 1]))), "store"), 413);
    }

    /// <summary>What SDKs of other languages send, by their forms.</summary>
    [Theory]
    [InlineData("python", "ValueError: bad\\ninput", "CRITICAL", """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:00:00.123456Z","level":"fatal","platform":"python","exception":{"values":[{"mechanism":{"type":"excepthook","handled":false},"module":null,"type":"ValueError","value":"bad\ninput","stacktrace":{"frames":[{"filename":"a.py","lineno":3,"vars":{"x":"NaN","y":NaN,"z":-Infinity}}]}}]},"extra":{"sys.argv":["a.py"]},"modules":{"pip":"24"},"contexts":{"trace":{"trace_id":"t"}},"_meta":{"":{}}}""")]
    [InlineData("ruby", "ZeroDivisionError: divided by 0 (ZeroDivisionError)", "ERROR", """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:00:00Z","platform":"ruby","level":"error","user":{},"tags":{},"exception":{"values":[{"type":"ZeroDivisionError","value":"divided by 0 (ZeroDivisionError)","module":"","thread_id":70,"stacktrace":{"frames":[{"abs_path":"a.rb","lineno":1}]}}]},"breadcrumbs":{"values":[]}}""")]
    [InlineData("go", "*errors.errorString: oops", "ERROR", """{"contexts":{"device":{"arch":"amd64"}},"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","level":"error","platform":"go","sdk":{"name":"sentry.go"},"server_name":"h","user":{},"exception":[{"type":"*errors.errorString","value":"oops","stacktrace":{"frames":[{"function":"main"}]}}],"timestamp":"2026-01-31T12:00:00.123456789Z"}""")]
    [InlineData("java", "IllegalStateException: no", "ERROR", """{"timestamp":"2026-01-31T12:00:00.123Z","exception":{"values":[{"type":"Cause","value":"c"},{"type":"IllegalStateException","value":"no","module":"java.lang","thread_id":1}]},"threads":{"values":[{"id":1,"name":"main","stacktrace":{"frames":[]}}]},"level":"error","fingerprint":[],"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","tags":[["k","v"],["n",1]]}""")]
    [InlineData("php", "Undefined variable 1", "WARNING", """{"timestamp":1769860800.1234,"platform":"php","level":"warning","message":{"message":"Undefined variable %s","params":["1"],"formatted":"Undefined variable 1"},"tags":[]}""")]
    [InlineData("javascript", "TypeError: x is not a function", "ERROR", """{"exception":{"values":[{"type":"TypeError","value":"x is not a function","stacktrace":{"frames":[{"colno":7}]},"mechanism":{"type":"onerror","handled":false}}]},"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","platform":"javascript","request":{"url":"https://shop"},"timestamp":1769860800.123,"environment":"production","sdk":{"integrations":[]},"breadcrumbs":[{"timestamp":1,"category":"ui.click"}]}""")]
    [InlineData("unity", "NullReferenceException: Object reference", "ERROR", """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T13:00:00.5+01:00","logentry":null,"level":"error","exception":{"values":[{"type":"NullReferenceException","value":"Object reference","thread_id":0}]},"contexts":{"unity":{"type":"unity"},"gpu":{"memory_size":1e400}},"debug_meta":{"images":[]}}""")]
    [InlineData("native", "(no message)", "CRITICAL", """{"event_id":"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10","level":"fatal","platform":"native","timestamp":"2026-01-31T12:00:00.000000Z","breadcrumbs":[],"user":{"id":"\u0000\ud83d"}}""")]
    [InlineData("raven", "an old message", "WARNING", """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:00:00","level":30,"logger":"root","message":"an old message","sentry.interfaces.Message":{"message":"an old message","params":[]},"tags":{"a":null,"b":1.5},"time_spent":null}""")]
    public async Task events_of_all_sdks_are_stored_whole(string sdk, string message, string level, string sent)
    {
        var sender = await _api.RegisterAsync();
        var header = $$"""{"event_id":"{{Id}}","sent_at":"2026-01-31T12:00:01Z","sdk":{"name":"sentry.{{sdk}}"},"trace":{"public_key":"x"} }""";
        var others = $"{{\"type\":\"sessions\"}}\n{{\"aggregates\":[{{\"started\":\"2026-01-31T12:00:00Z\",\"errored\":1}}]}}\n{{\"type\":\"attachment\",\"length\":4,\"filename\":\"m.dmp\",\"attachment_type\":\"event.minidump\"}}\nM\n\0P";
        Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(await PostAsync(sender, $"{header}\n{{\"type\":\"event\",\"length\":{Encoding.UTF8.GetByteCount(sent)},\"content_type\":\"application/json\"}}\n{sent}\n{others}")));

        var read = await SingleAsync(sender);
        Assert.Equal((message.Replace("\\n", "\n"), level), (read.GetProperty("message").GetString(), read.GetProperty("level").GetString()));
        Assert.Equal("2026-01-31T12:00:00", read.GetProperty("occurred_at").GetString()![..19]);
        Assert.Equal(Id, read.GetProperty("context").GetProperty("event_id").GetString());
    }

    [Fact]
    public async Task swagger_shows_them()
    {
        var paths = (await _api.GetAsync("/docs/v1/swagger.json")).GetProperty("paths");
        foreach (var (path, type) in new[] { ("/api/{app_id}/envelope", "application/x-sentry-envelope"), ("/api/{app_id}/store", "application/json") })
        {
            var post = paths.GetProperty(path).GetProperty("post");
            Assert.Equal(["200", "400", "401", "403", "413", "415", "429", "503"], post.GetProperty("responses").EnumerateObject().Select(r => r.Name).Order());
            Assert.True(post.GetProperty("requestBody").GetProperty("content").GetProperty(type).TryGetProperty("example", out _));
            Assert.True(post.GetProperty("security")[0].TryGetProperty("sentry_key", out _));
        }
    }

    private static byte[] Zstd(byte[] body)
    {
        using var compressor = new ZstdSharp.Compressor();
        return compressor.Wrap(body).ToArray();
    }

    private async Task<JsonElement> SingleAsync(Sender sender) => Assert.Single((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());

    private Task<JsonElement> LossAsync(Sender sender) => _api.GetAsync($"/apps/{sender.Id}/loss?since=2020-01-01&until=2100-01-01");

    private Task<HttpResponseMessage> PostAsync(Sender sender, string body, string endpoint = "envelope/") => PostAsync(sender, Encoding.UTF8.GetBytes(body), endpoint);

    private async Task<HttpResponseMessage> PostAsync(Sender sender, byte[] body, string endpoint = "envelope/", string? encoding = null, string type = "text/plain;charset=UTF-8")
    {
        var content = new ByteArrayContent(body) { Headers = { ContentType = MediaTypeHeaderValue.Parse(type) } };
        if (encoding is not null) content.Headers.TryAddWithoutValidation("Content-Encoding", encoding);
        return await _api.Host.Server.CreateClient().SendAsync(new(HttpMethod.Post, $"/api/{sender.Id}/{endpoint}?sentry_key={sender.Key}") { Content = content });
    }

    private static async Task<string> AcceptedAsync(HttpResponseMessage answer)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == 200, $"{answer.StatusCode} {text}");
        return text;
    }

    /// <summary>As SDKs show it to a developer.</summary>
    private static async Task RefusedAsync(HttpResponseMessage answer, int expected)
    {
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True((int)answer.StatusCode == expected, $"{answer.StatusCode} {text}");
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString(), answer.Headers.GetValues(SentryRefusal.ErrorHeader).Single());
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }
}
