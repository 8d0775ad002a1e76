using System.Net;
using System.Text.Json;

namespace ErrorTracker.Tests.Hosting;

/// <summary>Behind nginx as docs/proxy.md sets it up, with TLS and a path prefix.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class ProxyTests(SharedApi shared)
{
    [NginxFact]
    public async Task an_application_that_registers_through_a_proxy_is_told_its_address_and_sends_there()
    {
        await using var host = await HostProcess.StartAsync(
            ("ConnectionStrings__ErrorTracker", await shared.Server.NewDatabaseAsync()),
            ("ErrorTracker__SingleNode", "true"),
            ("ErrorTracker__TrustedProxies", "127.0.0.1"));
        await using var nginx = await Nginx.StartAsync(host.Http.BaseAddress!);

        using var answer = await nginx.Http.PostAsync(new Uri(nginx.Address, "apps/shop"), null);
        var registered = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        var id = registered.GetProperty("id").GetInt32();
        var key = registered.GetProperty("ingest_key").GetString();
        Assert.Equal($"https://{key}@{nginx.Address.Authority}/errors/{id}", registered.GetProperty("dsn").GetString());
        var found = await GetAsync(new Uri(nginx.Address, answer.Headers.Location!));
        Assert.Equal("shop", found.GetProperty("name").GetString());

        // As SDKs do: the path of the DSN, then api, then its last part.
        var envelope = new StringContent("{}\n{\"type\":\"event\"}\n{\"message\":\"through a proxy\"}");
        using var sent = await nginx.Http.PostAsync(
            new Uri(nginx.Address, $"api/{id}/envelope/?sentry_key={key}"), envelope);
        Assert.Equal(HttpStatusCode.OK, sent.StatusCode);
        var stored = (await GetAsync(new Uri(nginx.Address, $"apps/{id}/events"))).GetProperty("items");
        Assert.Equal("through a proxy", stored[0].GetProperty("message").GetString());

        // More than nginx takes unless it is told to.
        var pad = new string('x', 500_000);
        var one = $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m","stack":{"pad":"{{pad}}"} }""";
        using var batch = new HttpRequestMessage(HttpMethod.Post, new Uri(nginx.Address, $"apps/{id}/events/batch"))
        {
            Content = new StringContent($"[{string.Join(',', Enumerable.Repeat(one, 8))}]", null, "application/json"),
            Headers = { { "X-INGEST-KEY", key } },
        };
        Assert.Equal(HttpStatusCode.OK, (await nginx.Http.SendAsync(batch)).StatusCode);
        Assert.StartsWith("/errors/docs/", (await GetAsync(nginx.Address)).GetProperty("docs").GetString());

        async Task<JsonElement> GetAsync(Uri url) => JsonDocument.Parse(await nginx.Http.GetStringAsync(url)).RootElement;
    }
}
