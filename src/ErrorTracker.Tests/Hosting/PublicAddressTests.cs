using System.Net;
using System.Text.Json;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnAnotherPostgres))]
public sealed class PublicAddressTests(SharedApi shared)
{
    private static readonly (string, string)[] Forwarded =
    [
        ("Host", "backend:8000"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "errors.example.org"),
        ("X-Forwarded-Prefix", "/errors"),
        ("X-Forwarded-For", "198.51.100.7"),
    ];

    [Fact]
    public async Task what_a_trusted_proxy_says_is_believed()
    {
        await using var api = await StartAsync(("ErrorTracker:TrustedProxies", "10.0.0.0/8, 127.0.0.1"));
        foreach (var proxy in new[] { "10.1.2.3", "127.0.0.1", "::ffff:127.0.0.1" })
            Assert.Equal("https errors.example.org/errors", await RegisterAsync(api, proxy, "/apps/", Forwarded));

        // A proxy that leaves the prefix.
        Assert.Equal(
            "https errors.example.org/errors", await RegisterAsync(api, "10.1.2.3", "/errors/apps/", Forwarded));
    }

    [Theory]
    [InlineData("/errors/", "/errors")]
    [InlineData("//errors", "/errors")]
    [InlineData("/", "")]
    [InlineData("//", "")]
    public async Task a_prefix_has_no_slash_at_its_end_and_one_alone_is_none(string told, string prefix)
    {
        await using var api = await StartAsync(("ErrorTracker:TrustedProxies", "10.0.0.1"));
        (string, string)[] headers = [("Host", "e"), ("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-Prefix", told)];
        Assert.Equal("http e" + prefix, await RegisterAsync(api, "10.0.0.1", "/apps/", headers));
    }

    [Fact]
    public async Task what_others_say_is_ignored()
    {
        // Nobody is trusted unless set.
        Assert.Equal("http backend:8000", await RegisterAsync(shared.Api, "127.0.0.1", "/apps/", Forwarded));

        await using var api = await StartAsync(("ErrorTracker:TrustedProxies", "10.0.0.0/8"));
        foreach (var sender in new[] { "127.0.0.1", "11.0.0.1", "::1", "::ffff:127.0.0.1" })
            Assert.Equal("http backend:8000", await RegisterAsync(api, sender, "/apps/", Forwarded));

        // What a client puts there stands before what the proxy adds, and comes from one that is not trusted.
        (string, string)[] mixed =
        [
            ("Host", "backend"),
            ("X-Forwarded-For", "203.0.113.9, 198.51.100.7"),
            ("X-Forwarded-Proto", "http, https"),
            ("X-Forwarded-Host", "evil.example, errors.example.org"),
        ];
        Assert.Equal("https errors.example.org", await RegisterAsync(api, "10.0.0.1", "/apps/", mixed));
    }

    [Fact]
    public async Task the_address_that_is_set_is_taken_for_every_request()
    {
        await using var api = await StartAsync(
            ("ErrorTracker:PublicUrl", "https://errors.example.org:8443/errors/"),
            ("ErrorTracker:TrustedProxies", "10.0.0.0/8"));
        (string, string)[] headers =
            [("Host", "backend"), ("X-Forwarded-Host", "other.example"), ("X-Forwarded-Prefix", "/other")];
        foreach (var sender in new[] { "127.0.0.1", "10.0.0.1" })
            foreach (var path in new[] { "/apps/", "/errors/apps/", "//errors/apps/", "/errors//apps/" })
                Assert.Equal("https errors.example.org:8443/errors", await RegisterAsync(api, sender, path, headers));

        var server = (await api.GetAsync("/docs/v1/swagger.json")).GetProperty("servers")[0];
        Assert.Equal("/errors", server.GetProperty("url").GetString());
        foreach (var path in new[] { "/", "/errors", "/errors/" })
            Assert.Equal("/errors/docs/", (await api.GetAsync(path)).GetProperty("docs").GetString());
    }

    [Fact]
    public async Task a_port_that_goes_without_saying_is_not_said()
    {
        await using var api = await StartAsync(("ErrorTracker:PublicUrl", "https://errors.example.org"));
        var name = Guid.NewGuid().ToString("N");
        var registered = await api.SendAsync(HttpMethod.Post, $"/apps/{name}", expected: 201);
        Assert.EndsWith("@errors.example.org/1", registered.GetProperty("dsn").GetString());
    }

    [Fact]
    public async Task a_slash_too_many_does_no_harm()
    {
        var sender = await shared.Api.RegisterAsync();
        foreach (var path in new[] { $"//api/{sender.Id}/store/", $"///api/{sender.Id}/store/" })
            await shared.Api.SendAsync(HttpMethod.Post, $"{path}?sentry_key={sender.Key}", 200, """{"message":"m"}""");
    }

    [Fact]
    public async Task the_root_says_where_all_else_is_and_health_is_readiness()
    {
        using var http = shared.Api.Host.Server.CreateClient();
        Assert.Equal("""{"name":"ErrorTracker","docs":"/docs/","health":"/health"}""", await http.GetStringAsync("/"));
        await Eventually.Async(async () => (await http.GetAsync("/health")).IsSuccessStatusCode, "it is ready");
        Assert.Equal("Healthy", await http.GetStringAsync("/health"));
    }

    private async Task<TestApi> StartAsync(params (string, string)[] settings) =>
        await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), settings);

    /// <summary>
    /// Registers an application, for a sender at this address; answers the address in its DSN, and checks that Location
    /// has the same path.
    /// </summary>
    private static async Task<string> RegisterAsync(
        TestApi api, string sender, string path, (string Name, string Value)[] headers)
    {
        var answer = await api.Host.Scenario(x =>
        {
            x.ConfigureHttpContext(http =>
            {
                http.Connection.RemoteIpAddress = IPAddress.Parse(sender);
                http.Request.Method = "POST";
                http.Request.Path = path + Guid.NewGuid().ToString("N");
                foreach (var (name, value) in headers) http.Request.Headers[name] = value;
            });
            x.StatusCodeShouldBe(201);
        });
        var registered = JsonDocument.Parse(await answer.ReadAsTextAsync()).RootElement;
        var (id, dsn) = (registered.GetProperty("id").GetInt32(), new Uri(registered.GetProperty("dsn").GetString()!));
        Assert.Equal(registered.GetProperty("ingest_key").GetString(), dsn.UserInfo);
        Assert.EndsWith($"/{id}", dsn.AbsolutePath);
        var prefix = dsn.AbsolutePath[..^$"/{id}".Length];
        Assert.Equal($"{prefix}/apps/{id}", answer.Context.Response.Headers.Location.ToString());
        return $"{dsn.Scheme} {dsn.Authority}{prefix}";
    }
}
