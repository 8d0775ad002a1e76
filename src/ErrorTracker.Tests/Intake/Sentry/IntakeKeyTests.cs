using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>Who may send, and how an SDK shows it.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class IntakeKeyTests(SharedApi shared) : SdkRequests(shared)
{
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
    public async Task a_key_is_shown_in_any_way_and_all_ways_agree(
        int expected, string? header, string? authorization, string? query, string? dsn)
    {
        var sender = await Api.RegisterAsync();
        string Fill(string text) => text.Replace("{key}", sender.Key).Replace("{app}", $"{sender.Id}");
        var request = new HttpRequestMessage(HttpMethod.Post, $"/api/{sender.Id}/envelope/{Fill(query ?? "")}")
        {
            Content = new StringContent(Envelope(header: dsn is null ? "{}" : $$"""{"dsn":"{{Fill(dsn)}}"}""")),
            Headers = { { "Origin", "https://shop.example" } },
        };
        if (header is not null) request.Headers.Add(SentryAuth.Header, Fill(header));
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", Fill(authorization));
        var answer = await Api.Host.Server.CreateClient().SendAsync(request);
        Assert.Equal(expected, (int)answer.StatusCode);
        Assert.Equal(expected == 200 ? 1 : 0, (await Api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
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
        var sender = await Api.RegisterAsync();
        var body = new EndlessBody();
        await Api.Host.Scenario(x =>
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
}
