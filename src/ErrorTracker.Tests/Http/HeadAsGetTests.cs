using System.Globalization;

namespace ErrorTracker.Tests.Http;

[Collection(nameof(OnAnotherPostgres))]
public sealed class HeadAsGetTests(SharedApi shared)
{
    private const string Window = "since=2026-01-01&until=2026-01-02";

    [Theory]
    [InlineData("/apps", 200)]
    [InlineData("/apps/{0}", 200)]
    [InlineData("/apps/{0}/events", 200)]
    [InlineData("/apps/{0}/events?limit=0", 400)]
    [InlineData("/apps/{0}/events/nothing", 404)]
    [InlineData("/apps/{0}/feed", 200)]
    [InlineData("/apps/{0}/keys", 200)]
    [InlineData("/apps/{0}/loss?" + Window, 200)]
    [InlineData("/apps/{0}/stats/by-level?" + Window, 200)]
    [InlineData("/apps/{0}/stats/timeseries?" + Window, 200)]
    [InlineData("/apps/{0}/stats/top-messages?" + Window, 200)]
    [InlineData("/projections", 200)]
    [InlineData("/health/live", 200)]
    [InlineData("/docs/index.html", 200)]
    [InlineData("/docs/v1/swagger.json", 200)]
    [InlineData("/nothing", 404)]
    [InlineData("/api/{0}/store", 405)]
    public async Task head_answers_as_get_does_but_without_a_body(string path, int status)
    {
        using var client = shared.Api.Host.Server.CreateClient();
        path = string.Format(CultureInfo.InvariantCulture, path, (await shared.Api.RegisterAsync()).Id);
        using var get = await client.GetAsync(path);
        using var head = await client.SendAsync(new(HttpMethod.Head, path));
        Assert.Equal(status, (int)head.StatusCode);
        Assert.Equal(get.StatusCode, head.StatusCode);
        Assert.Equal(HeadersOf(get), HeadersOf(head));
        Assert.Empty(await head.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [InlineData("POST", "/projections", "GET, HEAD")]
    [InlineData("PUT", "/apps/1/events", "GET, HEAD, POST")]
    [InlineData("DELETE", "/api/1/store", "POST")]
    public async Task other_methods_are_answered_405_with_those_that_are_allowed(string method, string path, string allowed)
    {
        using var answer = await shared.Api.Host.Server.CreateClient().SendAsync(new(new(method), path));
        Assert.Equal(405, (int)answer.StatusCode);
        Assert.Equal(allowed, string.Join(", ", answer.Content.Headers.Allow.Order()));
    }

    private static string HeadersOf(HttpResponseMessage answer) => string.Join('\n', answer.Headers.Concat(answer.Content.Headers)
        .Where(header => header.Key is not ("Date" or "Content-Length"))
        .Select(header => $"{header.Key}: {string.Join(", ", header.Value)}").Order());
}
