using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>Crashes of native code: none is silent, and no dump is held.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class SendMinidumpTests(SharedApi shared) : SdkRequests(shared)
{
    private const string Dump = "MDMP\u0093\u00a7\0\n--\r\n", Multipart = "multipart/form-data; boundary=b";

    [Theory]
    [InlineData("""{"type":"minidump"}""", "minidump", "")]
    [InlineData("""{"type":"attachment","attachment_type":"event.minidump","filename":"c.dmp"}""", "minidump", "c.dmp, ")]
    [InlineData(
        """{"type":"attachment","attachment_type":"event.applecrashreport","filename":"c.crash"}""",
        "apple_crash_report", "c.crash, ")]
    [InlineData("""{"type":"attachment","attachment_type":"playstation.prosperodump"}""", "playstation_dump", "")]
    [InlineData("""{"type":"unreal_report"}""", "unreal_report", "")]
    public async Task an_envelope_with_only_a_dump_makes_an_event(string header, string kind, string name)
    {
        var sender = await Api.RegisterAsync();
        var dump = $"{header[..^1]},\"length\":5006}}\n{new string('\n', 5006)}\n";
        var envelope = $"{{\"event_id\":\"{Id}\"}}\n{dump}{{\"type\":\"attachment\",\"filename\":\"log\"}}\nx\n";
        for (var times = 0; times < 2; times++)
        {
            var answer = await PostAsync(sender, envelope);
            Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(answer));
            Assert.False(answer.Headers.Contains(SentryRefusal.LimitsHeader)); // or the next crash would not be sent
        }
        var crash = await SingleAsync(sender);
        Assert.Equal(("Native crash", "CRITICAL"), (crash.Text("message"), crash.Text("level")));
        Assert.Equal($"{name}5006 bytes: not kept", crash.Text("context", "dropped", kind));
        Assert.Equal(Id, crash.Text("context", "event_id"));

        var loss = await LossAsync(sender);
        Assert.Equal("""[{"category":"attachment","count":2}]""", loss.Raw("not_kept"));
        Assert.Equal((4, 1, 1), (loss.Count("received"), loss.Count("accepted"), loss.Count("duplicates")));
    }

    [Theory]
    [InlineData("""{"level":"fatal","platform":"native"}""", "Native crash", "CRITICAL")]
    [InlineData("""{"level":"fatal","exception":{"values":[{"type":"SIGSEGV","value":"at 0"}]}}""", "SIGSEGV: at 0", "CRITICAL")]
    [InlineData("""{"message":"renderer gone","tags":{"dropped":"no"},"extra":{"n":1e999}}""", "renderer gone", "ERROR")]
    public async Task an_event_beside_its_dump_stays_one_event(string @event, string message, string level)
    {
        var sender = await Api.RegisterAsync();
        const string second = "{\"type\":\"attachment\",\"attachment_type\":\"event.minidump\"}\nMDMP\n";
        var first = $"{{\"type\":\"event\"}}\n{@event}\n";
        foreach (var items in new[] { first + second, second + first })
        {
            var answer = await PostAsync(sender, $"{{\"event_id\":\"{Id}\"}}\n{items}");
            await AcceptedAsync(answer);
            Assert.Equal("3600:attachment:project:not_kept", answer.Headers.GetValues(SentryRefusal.LimitsHeader).Single());
        }
        var crash = await SingleAsync(sender);
        Assert.Equal((message, level), (crash.Text("message"), crash.Text("level")));
        Assert.Equal("4 bytes: not kept", crash.Text("context", "dropped", "minidump"));
        if (@event.Contains("1e999")) Assert.Contains("out of range", crash.Text("context", "dropped", "extra.n"));
    }

    [Fact]
    public async Task a_native_event_without_a_message_or_a_dump_is_stored()
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, Envelope("""{"level":"fatal","platform":"native"}""")));
        Assert.Equal("CRITICAL", (await SingleAsync(sender)).Text("level"));
    }

    /// <summary>As Crashpad sends it, compressed or not, with the key in the query.</summary>
    [Theory]
    [InlineData(null)]
    [InlineData("gzip")]
    public async Task a_form_with_a_dump_makes_an_event_of_what_it_tells(string? encoding)
    {
        var sender = await Api.RegisterAsync();
        var form = Encoding.Latin1.GetBytes(Form(
            ("sentry", null, """{"release":"1.4.2","environment":"test","level":"info","user":{"id":"1"},"tags":{"region":"eu"}}"""),
            ("sentry[user][email]", null, "a@b"), ("sentry[tags][channel]", null, "beta"), ("guid", null, "77"),
            ("ptype", null, "renderer"), ("upload_file_minidump", "crash.dmp", Dump + " --b"), ("log.txt", "log.txt", "a line")));
        if (encoding is not null)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(form);
            form = compressed.ToArray();
        }
        var answer = await PostAsync(sender, form, "minidump/", encoding, Multipart);
        var id = await AcceptedAsync(answer);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        var crash = await SingleAsync(sender);
        Assert.Equal(crash.Text("id"), Guid.Parse(id).ToString());
        Assert.Equal(("Native crash", "CRITICAL"), (crash.Text("message"), crash.Text("level")));
        Assert.Equal("""{"region":"eu","channel":"beta"}""", crash.Raw("tags").Replace(" ", ""));
        var context = crash.GetProperty("context");
        Assert.Equal($"crash.dmp, {Dump.Length + 4} bytes: not kept", context.Text("dropped", "minidump"));
        Assert.Equal(("1.4.2", "test"), (context.Text("release"), context.Text("environment")));
        Assert.Equal(("renderer", "a@b", "1"), (context.Text("extra", "ptype"), context.Text("user", "email"), context.Text("user", "id")));
        Assert.Equal("""[{"category":"attachment","count":1}]""", (await LossAsync(sender)).Raw("not_kept"));
    }

    [Theory]
    [InlineData("application/octet-stream")]
    [InlineData("application/x-dmp")]
    [InlineData("text/plain")]
    public async Task a_dump_may_be_the_body_itself(string type)
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, Encoding.Latin1.GetBytes(Dump), "minidump", type: type));
        var crash = await SingleAsync(sender);
        Assert.Equal($"{Dump.Length} bytes: not kept", crash.Text("context", "dropped", "minidump"));
    }

    [Theory]
    [InlineData("unreal/{key}/", "CR1 and more", 200)]
    [InlineData("unreal/wrong/", "CR1 and more", 403)]
    [InlineData("unreal/{key}/", "", 400)]
    public async Task a_crash_of_unreal_makes_an_event(string path, string body, int expected)
    {
        var sender = await Api.RegisterAsync();
        await Api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/{path.Replace("{key}", sender.Key)}", expected, body);
        if (expected == 200) Assert.Equal("12 bytes: not kept", (await SingleAsync(sender)).Text("context", "dropped", "unreal_report"));
    }

    public static TheoryData<string, string, int> Refused => new()
    {
        { Multipart, "", 400 },
        { Multipart, "--b\r\nContent-Disposition: form-data; name=\"upload_file_minidump\"\r\n\r\nMDMP", 400 },
        { Multipart, Form(("sentry", null, "{}")), 400 },
        { Multipart, "no form", 400 },
        { "multipart/form-data", Form(("upload_file_minidump", "c", Dump)), 400 },
        { "multipart/form-data; boundary=" + new string('b', 5_000), "--b--", 400 },
        { "application/octet-stream", "no dump", 400 },
        { "application/octet-stream", "", 400 },
        { Multipart, Form([.. Enumerable.Range(0, 1_001).Select(i => ($"f{i}", default(string), "v"))]), 413 },
        { Multipart, Form(("a", null, new string('a', 600_000)), ("b", null, new string('b', 600_000))), 413 },
    };

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task what_is_no_dump_is_refused(string type, string body, int expected)
    {
        var sender = await Api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender, Encoding.Latin1.GetBytes(body), "minidump/", type: type), expected);
        var loss = await LossAsync(sender);
        Assert.Equal((1, 0), (loss.Count("received"), loss.Count("accepted")));
    }

    [Fact]
    public async Task a_form_needs_the_key()
    {
        var sender = await Api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender with { Key = "wrong" }, Form(("upload_file_minidump", "c", Dump)), "minidump/"), 403);
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{sender.Id}/minidump/")
        {
            Content = new StringContent(Form(("upload_file_minidump", "c", "MDMP")), MediaTypeHeaderValue.Parse(Multipart)),
            Headers = { { SentryAuth.Header, $"Sentry sentry_key={sender.Key}" } },
        };
        await AcceptedAsync(await Api.Host.Server.CreateClient().SendAsync(request));
        await SingleAsync(sender);
    }

    /// <summary>A dump of 60 MB, sent as 60 KB, takes no more memory than a small one does.</summary>
    [Fact]
    public async Task a_large_dump_is_passed_over()
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, Compressed(4), "minidump/", "gzip", Multipart));
        var (small, large) = (Compressed(1_000), Compressed(60_000_000));
        var before = GC.GetTotalAllocatedBytes();
        await AcceptedAsync(await PostAsync(sender, small, "minidump/", "gzip", Multipart));
        var plain = GC.GetTotalAllocatedBytes() - before;
        await AcceptedAsync(await PostAsync(sender, large, "minidump/", "gzip", Multipart));
        Assert.InRange(GC.GetTotalAllocatedBytes() - before - plain, 0, plain + 20_000_000);
        await RefusedAsync(await PostAsync(sender, Compressed(101 * 1024 * 1024), "minidump/", "gzip", Multipart), 413);

        static byte[] Compressed(int size)
        {
            using var compressed = new MemoryStream();
            using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest))
            {
                var form = Form(("upload_file_minidump", "c", "MDMP"));
                var end = form.IndexOf("MDMP", StringComparison.Ordinal) + 4;
                var megabyte = new byte[1_000_000];
                gzip.Write(Encoding.Latin1.GetBytes(form[..end]));
                for (; size > 0; size -= megabyte.Length) gzip.Write(megabyte, 0, Math.Min(size, megabyte.Length));
                gzip.Write(Encoding.Latin1.GetBytes(form[end..]));
            }
            return compressed.ToArray();
        }
    }

    private static string Form(params (string Name, string? File, string Content)[] fields) =>
        string.Concat(fields.Select(field => Part(field.Name, field.File, field.Content))) + "--b--\r\n";

    private static string Part(string name, string? file, string content)
    {
        var disposition = $"form-data; name=\"{name}\"" + (file is null ? "" : $"; filename=\"{file}\"");
        return $"--b\r\nContent-Disposition: {disposition}\r\n\r\n{content}\r\n";
    }
}
