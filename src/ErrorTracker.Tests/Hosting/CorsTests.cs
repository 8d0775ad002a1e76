namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class CorsTests(SharedApi shared)
{
    [Theory]
    [InlineData("envelope/")]
    [InlineData("store")]
    [InlineData("security/")]
    [InlineData("nel/")]
    [InlineData("minidump/")]
    [InlineData("cron/nightly/key/")]
    public async Task browsers_may_send_from_any_page(string endpoint)
    {
        var request = new HttpRequestMessage(HttpMethod.Options, $"/api/1/{endpoint}")
        {
            Headers =
            {
                { "Origin", "https://shop.example" },
                { "Access-Control-Request-Method", "POST" },
                { "Access-Control-Request-Headers", "x-sentry-auth,content-type" },
            },
        };
        var answer = await shared.Api.Host.Server.CreateClient().SendAsync(request);
        Assert.Equal(204, (int)answer.StatusCode);
        Assert.Equal("*", answer.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Equal("x-sentry-auth,content-type", answer.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Equal("POST", answer.Headers.GetValues("Access-Control-Allow-Methods").Single());
    }

    [Theory]
    [InlineData("/apps")]
    [InlineData("/api/1/other")]
    public async Task other_endpoints_stay_closed_to_pages(string path)
    {
        using var http = shared.Api.Host.Server.CreateClient();
        foreach (var method in new[] { HttpMethod.Options, HttpMethod.Get })
        {
            var answer = await http.SendAsync(new(method, path)
            {
                Headers = { { "Origin", "https://shop.example" }, { "Access-Control-Request-Method", "GET" } },
            });
            Assert.False(answer.Headers.Contains("Access-Control-Allow-Origin"));
        }
    }
}
