using System.Net.Http.Headers;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class ReadTokenTests(SharedApi shared)
{
    private static readonly string[] Closed =
    [
        "/apps", "/apps/1", "/apps/1/keys", "/apps/1/events",
        "/apps/1/stats/by-level?since=2026-01-01&until=2027-01-01", "/apps/1/loss?since=2026-01-01&until=2027-01-01",
        "/projections", "/docs/index.html", "/docs/v1/swagger.json", "/nothing",
    ];

    [Fact]
    public async Task where_it_is_set_all_but_ingest_and_health_is_for_those_who_send_it()
    {
        await using var api = await TestApi.StartAsync(
            await shared.Server.NewDatabaseAsync(), ("ERRORTRACKER_READ_TOKEN", "open sesame\n"));
        using var holder = api.Host.Server.CreateClient();
        holder.DefaultRequestHeaders.Authorization = new("Bearer", "open sesame");
        Assert.Equal(201, (int)(await holder.PostAsync("/apps/mine", null)).StatusCode);
        using var made = await holder.PostAsync("/apps/1/keys", null);
        var key = (await made.Content.ReadAsStringAsync()).Split('"')[11];

        foreach (var token in new[] { null, "", "open", "open sesame!", "OPEN SESAME" })
        {
            using var other = api.Host.Server.CreateClient();
            if (token is not null)
                other.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", "Bearer " + token);
            foreach (var path in Closed)
                Assert.Equal((path, 401), (path, (int)(await other.GetAsync(path)).StatusCode));
            using var refused = await other.PostAsync("/apps/theirs", null);
            Assert.Equal("Bearer", Assert.Single(refused.Headers.WwwAuthenticate).Scheme);
            other.DefaultRequestHeaders.Accept.ParseAdd("text/html"); // a browser too, which has no place for a token
            foreach (var path in new[] { "/", "/health/live" })
                Assert.Equal(200, (int)(await other.GetAsync(path)).StatusCode);
            Assert.NotEqual(401, (int)(await other.GetAsync("/health/ready")).StatusCode);
            foreach (var path in new[] { "envelope/", "store/" })
            {
                using var sent = await other.PostAsync($"/api/1/{path}?sentry_key={key}", new StringContent("{}"));
                Assert.Equal(200, (int)sent.StatusCode);
            }
            foreach (var (path, status) in new[] { ("/apps/1/events", 201), ("/apps/1/events/batch", 200) })
            {
                var one = """{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""";
                var body = status == 200 ? $"[{one}]" : one;
                using var request = new HttpRequestMessage(HttpMethod.Post, path)
                {
                    Content = new StringContent(body, null, new MediaTypeHeaderValue("application/json")),
                    Headers = { { "X-INGEST-KEY", key } },
                };
                Assert.Equal(status, (int)(await other.SendAsync(request)).StatusCode);
            }
        }
        foreach (var path in new[] { "/apps", "/docs/index.html", "/projections" })
            Assert.Equal(200, (int)(await holder.GetAsync(path)).StatusCode);
    }

    [Theory]
    [InlineData("/apps")]
    [InlineData("/apps/x")]
    [InlineData("/nothing")]
    [InlineData("/docs/index.html")]
    public async Task every_answer_tells_browsers_to_keep_their_hands_off(string path)
    {
        var headers = (await shared.Api.Host.Server.CreateClient().GetAsync(path)).Headers;
        Assert.Equal("nosniff", Assert.Single(headers.GetValues("X-Content-Type-Options")));
        Assert.Contains("frame-ancestors 'none'", Assert.Single(headers.GetValues("Content-Security-Policy")));
        Assert.False(headers.Contains("Server"));
    }
}
