using System.Text.Json;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Tests.Ingestion;

[Collection(nameof(OnPostgres))]
public sealed class SendEventTests(SharedApi shared)
{
    private const string Body = """{"occurred_at":"2026-01-31T12:00:00+01:00","level":"error","message":"boom","stack":{"Frames":[{"lineNo":7}]},"tags":{"userId":"u\u0000"}}""";

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
        Assert.True((await _api.SendAsync(HttpMethod.Post, "/apps/x/events", 400, Body)).GetProperty("errors").TryGetProperty("app_id", out _));

    [Fact]
    public async Task a_body_over_1_mebibyte_is_refused()
    {
        var sender = await _api.RegisterAsync();
        string Padded(int size) => Body[..^1] + $",\"pad\":\"{new string('p', size - Body.Length - 9)}\"}}";
        Assert.Equal(EventBody.Largest, Padded(EventBody.Largest).Length);
        await _api.PostEventAsync(sender, Padded(EventBody.Largest), expected: 201);
        await _api.PostEventAsync(sender, Padded(EventBody.Largest + 1), expected: 413);
    }

    [Fact]
    public async Task a_body_that_is_not_json_by_its_type_is_refused()
    {
        var sender = await _api.RegisterAsync();
        await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events", 415, Body, (Door.KeyHeader, sender.Key), ("Content-Type", "text/plain"));
    }

    [Fact]
    public async Task numbers_of_any_size_that_is_accepted_come_back_equal()
    {
        var sender = await _api.RegisterAsync();
        var receipt = await _api.PostEventAsync(sender, """{"occurred_at":"2026-01-31T12:00:00Z","level":"INFO","message":"m","stack":{"n":[1e308,1.10,-0.0,12345678901234567890123]}}""", 201);
        var stack = (await _api.GetAsync($"/apps/{sender.Id}/events/{receipt.GetProperty("id").GetString()}")).GetProperty("stack").GetProperty("n");
        Assert.Equal(1e308, stack[0].GetDouble());
        Assert.Equal(["1.10", "12345678901234567890123"], new[] { stack[1].GetRawText(), stack[3].GetRawText() });
    }

    private async Task RefusedAsync(int expected)
    {
        var sender = await _api.RegisterAsync();
        await _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events", expected, Body);
    }
}
