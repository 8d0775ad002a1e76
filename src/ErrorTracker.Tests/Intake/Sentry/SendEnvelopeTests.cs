using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SendEnvelopeTests(SharedApi shared) : SdkRequests(shared)
{
    [Theory]
    [InlineData("envelope")]
    [InlineData("envelope/")]
    [InlineData("store")]
    [InlineData("store/")]
    public async Task an_event_is_committed_when_it_is_answered(string endpoint)
    {
        var sender = await Api.RegisterAsync();
        var body = endpoint.StartsWith("store", StringComparison.Ordinal)
            ? $$"""{"event_id":"{{Id}}",{{Event[1..]}}"""
            : Envelope();
        var answer = await PostAsync(sender, body, endpoint);
        Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(answer));
        Assert.Equal("*", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.False(answer.Headers.Contains(SentryRefusal.LimitsHeader));

        var read = await SingleAsync(sender);
        Assert.Equal(
            ("boom", "ERROR", "2026-01-31T12:00:00Z"),
            (read.GetProperty("message").GetString(), read.GetProperty("level").GetString(), read.GetProperty("occurred_at").GetString()));
        Assert.Equal(Id, read.GetProperty("context").GetProperty("event_id").GetString());
        Assert.Equal(
            read.GetRawText(),
            (await Api.GetAsync($"/apps/{sender.Id}/events/{read.GetProperty("id").GetString()}")).GetRawText());
    }

    [Fact]
    public async Task native_answers_have_no_context()
    {
        var sender = await Api.RegisterAsync();
        await Api.ReportAsync(sender);
        Assert.False((await SingleAsync(sender)).TryGetProperty("context", out _));
    }

    [Fact]
    public async Task an_event_without_an_id_gets_one()
    {
        var sender = await Api.RegisterAsync();
        Assert.Matches("""^{"id":"[0-9a-f]{32}"}$""", await AcceptedAsync(await PostAsync(sender, Envelope(header: "{}"))));
    }

    [Fact]
    public async Task a_registration_answers_the_dsn()
    {
        var registered = await Api.SendAsync(HttpMethod.Post, "/apps/dsn-" + Guid.NewGuid(), expected: 201);
        var (id, key) = (registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!);
        Assert.Equal($"http://{key}@localhost/{id}", registered.GetProperty("dsn").GetString());
        Assert.Equal((key, id), SentryAuth.OfDsn(registered.GetProperty("dsn").GetString()!));
    }

    [Fact]
    public async Task a_large_attachment_beside_an_event_is_passed_over()
    {
        var sender = await Api.RegisterAsync();
        const string Attachment = """{"type":"attachment","attachment_type":"event.minidump","length":8000000}""";
        var before = Encoding.UTF8.GetBytes($"{{}}\n{Attachment}\n");
        var after = Encoding.UTF8.GetBytes($"\n{{\"type\":\"event\"}}\n{Event}");
        var answer = await PostAsync(sender, [.. before, .. new byte[8_000_000], .. after]);
        await AcceptedAsync(answer);
        Assert.Equal("3600:attachment:project:not_kept", Assert.Single(answer.Headers.GetValues(SentryRefusal.LimitsHeader)));
        await SingleAsync(sender);
    }

    [Fact]
    public async Task an_event_over_1_mebibyte_is_refused()
    {
        var sender = await Api.RegisterAsync();
        static string Padded(int size) => Event[..^1] + $",\"pad\":\"{new string('p', size - Event.Length - 9)}\"}}";
        await AcceptedAsync(await PostAsync(sender, Envelope(Padded(EventLimits.Largest), "{}")));
        await AcceptedAsync(await PostAsync(sender, Padded(EventLimits.Largest), "store"));
        await RefusedAsync(await PostAsync(sender, Envelope(Padded(EventLimits.Largest + 1))), 413);
        await RefusedAsync(await PostAsync(sender, Padded(EventLimits.Largest + 1), "store"), 413);
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
        var sender = await Api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender, body), expected);
        Assert.Empty((await Api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
    }

    [Theory]
    [InlineData("{}", null)]
    [InlineData("{}\n{\"type\":\"unheard_of\"}\n{}\n", null)]
    [InlineData("{}\n{\"type\":\"user_report\"}\n{}\n", "3600:feedback;user_report:project:not_kept")]
    [InlineData(
        "{}\n{\"type\":\"transaction\"}\n{}\n{\"type\":\"sessions\"}\n{\"aggregates\":[]}\n",
        "3600:session;transaction:project:not_kept")]
    [InlineData("{}\n{\"type\":\"event\"}\n{\"type\":\"transaction\"}", "3600:transaction:project:not_kept")]
    [InlineData(
        "{}\n{\"type\":\"replay_event\"}\n{}\n{\"type\":\"replay_recording\",\"length\":3}\n\n\0\n\n{\"type\":\"check_in\"}\n{}",
        "3600:monitor;replay:project:not_kept")]
    [InlineData(
        "{}\n{\"type\":\"log\",\"item_count\":1}\n{\"items\":[]}\n{\"type\":\"trace_metric\"}\n{}\n"
        + "{\"type\":\"statsd\"}\na@none:1|c\n{\"type\":\"profile_chunk\"}\n{}",
        "3600:log_item;metric;metric_bucket;profile;profile_chunk;profile_chunk_ui;trace_metric:project:not_kept")]
    public async Task without_an_event_the_answer_is_empty_and_asks_not_to_send_what_is_not_kept(string body, string? limits)
    {
        var answer = await PostAsync(await Api.RegisterAsync(), body);
        Assert.Equal("{}", await AcceptedAsync(answer));
        Assert.Equal(limits, answer.Headers.TryGetValues(SentryRefusal.LimitsHeader, out var values) ? values.Single() : null);
    }

    [Theory]
    [InlineData(Event)]
    [InlineData("""{"message":"undated"}""")]
    public async Task an_event_that_is_sent_again_is_stored_once(string sent)
    {
        var sender = await Api.RegisterAsync();
        foreach (var body in new[] { Envelope(sent), Envelope(sent), Envelope("""{"message":"other"}""") })
            Assert.Equal($$"""{"id":"{{Id}}"}""", await AcceptedAsync(await PostAsync(sender, body)));
        await SingleAsync(sender);
        var loss = await LossAsync(sender);
        Assert.Equal(
            (3, 1, 1),
            (loss.GetProperty("received").GetInt32(), loss.GetProperty("accepted").GetInt32(), loss.GetProperty("duplicates").GetInt32()));
        Assert.Equal("""[{"reason":"conflicting","count":1}]""", loss.GetProperty("refused").GetRawText());
    }

    [Fact]
    public async Task where_there_is_no_room_sdks_are_asked_to_wait()
    {
        var sender = await Api.RegisterAsync();
        using var taken = Api.Memory.BudgetFor(sender.Id);
        while (taken.TryTake(64 * 1024)) { }
        while (taken.TryTake(1024)) { }
        var answer = await PostAsync(sender, Envelope());
        await RefusedAsync(answer, 429);
        Assert.Equal(
            ("1", "1::project:no_room"),
            (answer.Headers.GetValues("Retry-After").Single(), answer.Headers.GetValues(SentryRefusal.LimitsHeader).Single()));
    }

    [Fact]
    public async Task swagger_shows_them()
    {
        var paths = (await Api.GetAsync("/docs/v1/swagger.json")).GetProperty("paths");
        var types = new Dictionary<string, string>
        {
            ["/api/{app_id}/envelope"] = "application/x-sentry-envelope",
            ["/api/{app_id}/store"] = "application/json",
        };
        foreach (var (path, type) in types)
        {
            var post = paths.GetProperty(path).GetProperty("post");
            Assert.Equal(
                ["200", "400", "401", "403", "413", "415", "429", "503"],
                post.GetProperty("responses").EnumerateObject().Select(r => r.Name).Order());
            Assert.True(post.GetProperty("requestBody").GetProperty("content").GetProperty(type).TryGetProperty("example", out _));
            Assert.True(post.GetProperty("security")[0].TryGetProperty("sentry_key", out _));
        }
    }
}
