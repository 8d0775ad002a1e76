using Npgsql;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class SecurityHeadersTests(SharedApi shared)
{
    [Fact]
    public async Task what_sdks_are_answered_may_be_stored_whatever_it_is()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(
            connectionString, ("ErrorTracker:PublicUrl", "https://errors.example.org/errors"));
        using var http = api.Host.Server.CreateClient();
        var sender = await api.RegisterAsync();
        var (own, key) = ($"/api/{sender.Id}", $"?sentry_key={sender.Key}");
        string[] paths =
        [
            $"{own}/store/{key}", $"{own}/envelope/{key}", $"{own}/store/", $"{own}/envelope/?sentry_key=wrong",
            $"http://localhost//api/{sender.Id}/store/{key}", $"/errors{own}/store/{key}",
            $"/API/{sender.Id}/store/{key}", $"/api/x/store/{key}", $"/api/999/envelope/{key}",
            $"{own}/nothing/{key}", "/api/", "/api",
        ];
        var statuses = new HashSet<int>();
        foreach (var path in paths)
            foreach (var body in new[] { """{"message":"m"}""", "{", "{}\n{\"type\":\"event\"}\n{\"message\":\"m\"}" })
                await AssertStorableAsync(new(HttpMethod.Post, path) { Content = new StringContent(body) });
        foreach (var path in paths)
        {
            var preflight = new HttpRequestMessage(HttpMethod.Options, path)
            {
                Headers = { { "Origin", "https://shop.example" }, { "Access-Control-Request-Method", "POST" } },
            };
            await AssertStorableAsync(preflight);
            await AssertStorableAsync(new(HttpMethod.Get, path));
        }

        var name = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await shared.Api.ScalarAsync<string>($"alter database {name} allow_connections false; select 'done'");
        await shared.Api.ScalarAsync<long>(
            $"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{name}'");
        await AssertStorableAsync(
            new(HttpMethod.Post, $"{own}/store/?sentry_key=unknown") { Content = new StringContent("{}") });
        Assert.Superset(new HashSet<int> { 200, 204, 400, 401, 403, 404, 503 }, statuses);

        async Task AssertStorableAsync(HttpRequestMessage request)
        {
            using var answer = await http.SendAsync(request);
            statuses.Add((int)answer.StatusCode);
            Assert.True(
                answer.Headers.CacheControl is null,
                $"{request.Method} {request.RequestUri} {(int)answer.StatusCode} {answer.Headers.CacheControl}");
        }
    }

    [Theory]
    [InlineData("/apps")]
    [InlineData("/projections")]
    [InlineData("/nothing")]
    [InlineData("/apis")]
    public async Task all_else_may_not(string path)
    {
        using var http = shared.Api.Host.Server.CreateClient();
        Assert.Equal("no-store", (await http.GetAsync(path)).Headers.CacheControl?.ToString());
    }
}
