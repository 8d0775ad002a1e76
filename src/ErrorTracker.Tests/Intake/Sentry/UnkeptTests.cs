using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

[Collection(nameof(OnAnotherPostgres))]
public sealed class UnkeptTests(SharedApi shared) : SdkRequests(shared)
{
    /// <summary>
    /// Item types as https://develop.sentry.dev/sdk/data-model/envelope-items/ and Relay know them; the category and
    /// what SDKs are asked.
    /// </summary>
    public static TheoryData<string, string, string?> Types => new()
    {
        { "transaction", "transaction", "transaction" },
        { "span", "span", "span" },
        { "otel_span", "span", "span" },
        { "otel_traces_data", "span", "span" },
        { "session", "session", "session" },
        { "sessions", "session", "session" },
        { "attachment", "attachment", "attachment" },
        { "profile", "profile", "profile" },
        { "profile_chunk", "profile_chunk", "profile;profile_chunk;profile_chunk_ui" },
        { "replay_event", "replay", "replay" },
        { "replay_recording", "replay", "replay" },
        { "replay_video", "replay", "replay" },
        { "check_in", "monitor", "monitor" },
        { "statsd", "metric_bucket", "metric_bucket" },
        { "metric_buckets", "metric_bucket", "metric_bucket" },
        { "metric", "trace_metric", "metric;trace_metric" },
        { "trace_metric", "trace_metric", "metric;trace_metric" },
        { "log", "log_item", "log_item" },
        { "otel_log", "log_item", "log_item" },
        { "feedback", "feedback", "feedback" },
        { "user_report", "user_report", "feedback;user_report" },
        { "raw_security", "security", null },
        { "nel", "security", null },
        { "unheard_of", "unknown", null },
        { "error", "unknown", null },
        { "", "unknown", null },
    };

    [Theory]
    [MemberData(nameof(Types))]
    public async Task each_type_is_counted_and_asked_not_to_be_sent(string type, string category, string? limits)
    {
        var sender = await Api.RegisterAsync();
        var answer = await PostAsync(sender, Envelope() + $"{{\"type\":\"{type}\"}}\nno report\n");
        await AcceptedAsync(answer);
        var asked = answer.Headers.TryGetValues(SentryRefusal.LimitsHeader, out var values) ? values.Single() : null;
        Assert.Equal(limits is null ? null : $"3600:{limits}:project:not_kept", asked);
        await SingleAsync(sender);

        var loss = await LossAsync(sender);
        Assert.Equal($$"""[{"category":"{{category}}","count":1}]""", loss.Raw("not_kept"));
        Assert.Equal((2, 1), (loss.Count("received"), loss.Count("accepted")));
    }

    /// <summary>An SDK that is asked for one of these sends no events any more; an empty one means all.</summary>
    [Fact]
    public void events_are_never_asked_not_to_be_sent()
    {
        foreach (var row in Types)
            Assert.Empty(Unkept.CategoriesOf((string)row[0]).Intersect(["error", "default", "internal", "security", ""]));
    }

    [Theory]
    [InlineData("log", "7", 7)]
    [InlineData("span", "1e99", 10_000)]
    [InlineData("trace_metric", "0", 1)]
    [InlineData("log", "-5", 1)]
    [InlineData("log", "\"7\"", 1)]
    [InlineData("unheard_of", "3", 3)]
    public async Task items_that_say_how_many_they_hold_count_as_many(string type, string count, int expected)
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, $"{{}}\n{{\"type\":\"{type}\",\"item_count\":{count}}}\n{{}}\n"));
        Assert.Equal(expected, Assert.Single((await LossAsync(sender)).GetProperty("not_kept").EnumerateArray()).Count("count"));
    }

    [Fact]
    public async Task whatever_types_a_sender_invents_the_answer_is_bounded()
    {
        var sender = await Api.RegisterAsync();
        var items = Enumerable.Range(0, 5_000).Select(i => $"{{\"type\":\"t{i}\"}}\n{{}}\n");
        await AcceptedAsync(await PostAsync(sender, "{}\n" + string.Concat(items)));
        Assert.Equal("""[{"category":"unknown","count":5000}]""", (await LossAsync(sender)).Raw("not_kept"));
    }

    [Fact]
    public async Task a_transaction_in_the_place_of_an_event_is_not_kept_either()
    {
        var sender = await Api.RegisterAsync();
        await AcceptedAsync(await PostAsync(sender, """{"type":"transaction"}""", "store/"));
        Assert.Equal("""[{"category":"transaction","count":1}]""", (await LossAsync(sender)).Raw("not_kept"));
    }

    /// <summary>It counts as one, whatever it holds.</summary>
    [Fact]
    public async Task of_a_request_that_is_refused_nothing_else_is_counted()
    {
        var sender = await Api.RegisterAsync();
        await RefusedAsync(await PostAsync(sender, "{}\n{\"type\":\"log\"}\n{}\n{\"type\":\"event\"}\nno json\n"), 400);
        var loss = await LossAsync(sender);
        Assert.Equal("[]", loss.Raw("not_kept"));
        Assert.Equal(1, loss.Count("received"));
    }

    /// <summary>
    /// A job's monitor in a crontab: nothing of it is kept, and its sender is answered as Sentry answers.
    /// </summary>
    [Theory]
    [InlineData("GET", "cron/nightly/{key}/?status=ok", 202)]
    [InlineData("POST", "cron/nightly/{key}?status=in_progress", 202)]
    [InlineData("POST", "cron/nightly/?sentry_key={key}", 202)]
    [InlineData("GET", "cron/nightly/wrong/", 403)]
    [InlineData("GET", "cron/nightly/", 401)]
    public async Task check_ins_over_http_are_counted(string method, string path, int expected)
    {
        var sender = await Api.RegisterAsync();
        var body = method == "POST" ? """{"status":"ok"}""" : null;
        await Api.SendAsync(new(method), $"/api/{sender.Id}/{path.Replace("{key}", sender.Key)}", expected, body);
        var counted = expected == 202 ? """[{"category":"monitor","count":1}]""" : "[]";
        Assert.Equal(counted, (await LossAsync(sender)).Raw("not_kept"));
    }
}
