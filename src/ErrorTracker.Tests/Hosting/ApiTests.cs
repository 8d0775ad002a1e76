using Npgsql;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class ApiTests(SharedApi shared)
{
    [Fact]
    public async Task health_is_answered()
    {
        await shared.Api.GetAsync("/health/live");
        await Eventually.Async(async () => (await shared.Api.Host.Server.CreateClient().GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
    }

    [Fact]
    public async Task an_unknown_path_is_a_problem_of_its_own() => Assert.Equal(404, (await shared.Api.GetAsync("/nothing", expected: 404)).GetProperty("status").GetInt32());

    /// <summary>Reading and sending alike; all is well again when the database is.</summary>
    [Fact]
    public async Task while_the_database_is_away_the_answer_is_503()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        var name = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await shared.Api.ScalarAsync<string>($"alter database {name} allow_connections false; select 'done'");
        await shared.Api.ScalarAsync<long>($"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{name}'");

        foreach (var path in new[] { "events", "stats/by-level?since=2020-01-01&until=2100-01-01" }) await api.GetAsync($"/apps/{sender.Id}/{path}", expected: 503);
        await api.GetAsync("/projections", expected: 503);
        Assert.Equal("The database does not answer.", (await api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/store?sentry_key=unknown", 503, "{}")).GetProperty("detail").GetString());
        await api.SendAsync(HttpMethod.Post, "/apps/another", expected: 503);
        var refused = api.ReportAsync(sender, expected: 503);
        await Eventually.Async(async () => await api.Queue.ProbeAsync(CancellationToken.None) is not null, "the commit has failed");
        api.Clock.Skipped = TimeSpan.FromMinutes(2); // longer than a commit is left in doubt
        await refused;

        await shared.Api.ScalarAsync<string>($"alter database {name} allow_connections true; select 'done'");
        await api.ReportAsync(sender);
        Assert.Equal(2, (await api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task swagger_shows_every_call_with_its_answers_and_the_key()
    {
        await shared.Api.GetAsync("/docs/index.html");
        var document = await shared.Api.GetAsync("/docs/v1/swagger.json");
        var paths = document.GetProperty("paths");
        Assert.Equal(
            ["/api/{app_id}/cron/{monitor}", "/api/{app_id}/cron/{monitor}/{key}", "/api/{app_id}/csp-report",
                "/api/{app_id}/envelope", "/api/{app_id}/minidump", "/api/{app_id}/nel", "/api/{app_id}/security",
                "/api/{app_id}/store", "/api/{app_id}/unreal/{key}", "/apps", "/apps/{app_id}",
                "/apps/{app_id}/events", "/apps/{app_id}/events/batch", "/apps/{app_id}/events/{id}", "/apps/{app_id}/feed",
                "/apps/{app_id}/keys", "/apps/{app_id}/keys/{key_id}", "/apps/{app_id}/loss",
                "/apps/{app_id}/stats/by-level", "/apps/{app_id}/stats/timeseries",
                "/apps/{app_id}/stats/top-messages", "/apps/{name}", "/projections"],
            paths.EnumerateObject().Select(p => p.Name).Order(StringComparer.Ordinal));

        var send = paths.GetProperty("/apps/{app_id}/events").GetProperty("post");
        Assert.Equal(["200", "201", "400", "401", "403", "409", "413", "415", "429", "503"], send.GetProperty("responses").EnumerateObject().Select(r => r.Name).Order());
        Assert.Equal("X-INGEST-KEY", document.GetProperty("components").GetProperty("securitySchemes").GetProperty("ingest_key").GetProperty("name").GetString());
        Assert.True(send.GetProperty("security")[0].TryGetProperty("ingest_key", out _));
        Assert.True(send.GetProperty("requestBody").GetProperty("content").GetProperty("application/json").TryGetProperty("example", out _));

        foreach (var call in paths.EnumerateObject().SelectMany(p => p.Value.EnumerateObject()).Where(c => c.Value.ValueKind == System.Text.Json.JsonValueKind.Object))
        {
            Assert.NotEmpty(call.Value.GetProperty("summary").GetString()!);
            if (call.Value.TryGetProperty("parameters", out var parameters))
                Assert.All(parameters.EnumerateArray(), p => Assert.NotEmpty(p.GetProperty("description").GetString()!));
        }
    }
}
