using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Intake.Native;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SendEventTests(SharedApi shared)
{
    private const string Body =
        """{"occurred_at":"2026-01-31T12:00:00+01:00","level":"error","message":"boom","stack":{"Frames":"""
        + """[{"lineNo":7}]},"tags":{"userId":"u\u0000"}}""";

    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task a_sent_event_is_committed_when_it_is_answered_and_can_be_read_where_the_answer_says()
    {
        var sender = await _api.RegisterAsync();
        var receipt = await _api.PostEventAsync(sender, Body, expected: 201);
        Assert.Equal(["id", "application_id", "received_at"], receipt.EnumerateObject().Select(m => m.Name));

        var read = await _api.GetAsync($"/apps/{sender.Id}/events/{receipt.GetProperty("id").GetString()}");
        Assert.Equal(receipt.GetProperty("received_at").GetString(), read.GetProperty("received_at").GetString());
        Assert.Equal("2026-01-31T11:00:00Z", read.GetProperty("occurred_at").GetString());
        Assert.Equal("ERROR", read.GetProperty("level").GetString());
        Assert.Equal("""{"Frames": [{"lineNo": 7}]}""", read.GetProperty("stack").GetRawText());
        Assert.Equal("u\ufffd", read.GetProperty("tags").GetProperty("userId").GetString());
    }

    [Fact]
    public async Task without_a_key_the_answer_is_401() => await RefusedAsync(expected: 401);

    [Fact]
    public async Task a_wrong_key_and_an_unknown_application_are_answered_alike()
    {
        var sender = await _api.RegisterAsync();
        var wrong = await _api.PostEventAsync(sender with { Key = new string('0', 32) }, Body, expected: 403);
        var unknown = await _api.PostEventAsync(new(2_000_000_000, sender.Key), Body, expected: 403);
        Assert.Equal(wrong.GetProperty("detail").GetString(), unknown.GetProperty("detail").GetString());
    }

    [Fact]
    public async Task the_key_of_another_application_does_not_open()
    {
        var (mine, other) = (await _api.RegisterAsync(), await _api.RegisterAsync());
        await _api.PostEventAsync(mine with { Key = other.Key }, Body, expected: 403);
    }

    [Theory]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":"LOUD","message":"m"}""", "level")]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":""}""", "message")]
    [InlineData("""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m","tags":[]}""", "tags")]
    [InlineData("""{"occurred_at":""", "body")]
    [InlineData("", "body")]
    public async Task what_is_invalid_is_named_and_not_stored(string body, string field)
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.PostEventAsync(sender, body, expected: 400);
        Assert.Equal([field], refusal.GetProperty("errors").EnumerateObject().Select(m => m.Name));
        Assert.Empty((await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").EnumerateArray());
    }

    [Fact]
    public async Task an_id_that_is_no_positive_integer_is_named() =>
        Assert.True(
            (await _api.SendAsync(HttpMethod.Post, "/apps/x/events", 400, Body)).GetProperty("errors").TryGetProperty("app_id", out _));

    [Fact]
    public async Task a_body_over_1_mebibyte_is_refused()
    {
        var sender = await _api.RegisterAsync();
        static string Padded(int size) => Body[..^1] + $",\"pad\":\"{new string('p', size - Body.Length - 9)}\"}}";
        Assert.Equal(EventLimits.Largest, Padded(EventLimits.Largest).Length);
        await _api.PostEventAsync(sender, Padded(EventLimits.Largest), expected: 201);
        await _api.PostEventAsync(sender, Padded(EventLimits.Largest + 1), expected: 413);
    }

    [Fact]
    public async Task a_body_that_is_not_json_by_its_type_is_refused()
    {
        var sender = await _api.RegisterAsync();
        await _api.SendAsync(
            HttpMethod.Post, $"/apps/{sender.Id}/events", 415, Body,
            (NativeIntake.KeyHeader, sender.Key), ("Content-Type", "text/plain"));
    }

    /// <summary>
    /// Or a reader that goes on from the newest it has seen would miss it, and a window that is over would change.
    /// </summary>
    [Fact]
    public async Task an_event_is_received_when_its_body_has_arrived_whole()
    {
        var (sender, start) = (await _api.RegisterAsync(), new DateTimeOffset(2026, 4, 2, 12, 0, 0, TimeSpan.Zero));
        _api.Clock.Now = start;
        var body = new SlowBody(
            [(Body[..10], () => _api.Clock.Now = start.AddSeconds(5)), (Body[10..], () => _api.Clock.Now = start.AddSeconds(9))]);
        var receipt = await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events", 201, body, (NativeIntake.KeyHeader, sender.Key));
        _api.Clock.Now = null;
        Assert.Equal(start.AddSeconds(9), receipt.GetProperty("received_at").GetDateTimeOffset());
    }

    [Fact]
    public async Task a_stack_may_be_text_and_what_has_no_place_is_in_the_context()
    {
        var sender = await _api.RegisterAsync();
        var receipt = await _api.PostEventAsync(sender, """
            {"occurred_at":"2026-01-31T12:00:00Z","level":40,"message":"m","stack":"at Pay.Charge()\n  at main",
             "environment":"prod","user":{"id":7},"context":{"order":1}}
            """, 201);
        var read = await _api.GetAsync($"/apps/{sender.Id}/events/{receipt.GetProperty("id").GetString()}");
        Assert.Equal(
            ("ERROR", "at Pay.Charge()\n  at main"),
            (read.GetProperty("level").GetString(), read.GetProperty("stack").GetString()));
        Assert.Equal("""{"user": {"id": 7}, "order": 1, "environment": "prod"}""", read.GetProperty("context").GetRawText());
    }

    [Fact]
    public async Task what_was_cut_is_recognised_when_it_is_sent_again()
    {
        var sender = await _api.RegisterAsync();
        var body = $$"""
            {"event_id":"{{Guid.NewGuid()}}","occurred_at":"2026-01-31T12:00:00Z","level":"emerg","message":"{{new string('m', 9_000)}}",
             "stack":{"n":1e309},"release":"1","fingerprint":[1]}
            """;
        var first = await _api.PostEventAsync(sender, body, 201);
        Assert.Equal(first.GetRawText(), (await _api.PostEventAsync(sender, body, 200)).GetRawText());
        await _api.PostEventAsync(sender, body.Replace("\"release\":\"1\"", "\"release\":\"2\""), 409);
    }

    [Fact]
    public async Task numbers_of_any_size_that_is_accepted_come_back_equal()
    {
        var sender = await _api.RegisterAsync();
        var receipt = await _api.PostEventAsync(
            sender,
            """{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","stack":{"n":[1e308,1.10,-0.0"""
            + """,12345678901234567890123]}}""",
            201);
        var read = await _api.GetAsync($"/apps/{sender.Id}/events/{receipt.GetProperty("id").GetString()}");
        var stack = read.GetProperty("stack").GetProperty("n");
        Assert.Equal(1e308, stack[0].GetDouble());
        Assert.Equal(["1.10", "12345678901234567890123"], [stack[1].GetRawText(), stack[3].GetRawText()]);
    }

    private async Task RefusedAsync(int expected)
    {
        var sender = await _api.RegisterAsync();
        await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events", expected, Body);
    }
}
