using Npgsql;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class ApiTests(SharedApi shared)
{
    [Fact]
    public async Task health_is_answered()
    {
        await shared.Api.GetAsync("/health/live");
        using var http = shared.Api.Host.Server.CreateClient();
        await Eventually.Async(
            async () => (await http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
    }

    [Fact]
    public async Task an_unknown_path_is_a_problem_of_its_own()
    {
        var problem = await shared.Api.GetAsync("/nothing", expected: 404);
        Assert.Equal(404, problem.GetProperty("status").GetInt32());
    }

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
        await shared.Api.ScalarAsync<long>(
            $"select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '{name}'");

        foreach (var path in new[] { "events", "stats/by-level?since=2020-01-01&until=2100-01-01" })
            await api.GetAsync($"/apps/{sender.Id}/{path}", expected: 503);
        await api.GetAsync("/projections", expected: 503);
        var ofSdk = await api.SendAsync(HttpMethod.Post, $"/api/{sender.Id}/store?sentry_key=unknown", 503, "{}");
        Assert.Equal("The database does not answer.", ofSdk.GetProperty("detail").GetString());
        await api.SendAsync(HttpMethod.Post, "/apps/another", expected: 503);
        var refused = api.ReportAsync(sender, expected: 503);
        await Eventually.Async(
            async () => await api.Queue.ProbeAsync(CancellationToken.None) is not null, "the commit has failed");
        api.Clock.Skipped = TimeSpan.FromMinutes(2); // longer than a commit is left in doubt
        await refused;

        await shared.Api.ScalarAsync<string>($"alter database {name} allow_connections true; select 'done'");
        await api.ReportAsync(sender);
        Assert.Equal(2, (await api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
    }

    [Fact]
    public async Task the_pages_of_the_documentation_are_there() => await shared.Api.GetAsync("/docs/index.html");

    /// <summary>Whoever takes anything is a program; HEAD is answered as GET is.</summary>
    [Theory]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", 302)]
    [InlineData("text/html", 302)]
    [InlineData("text/html;q=0, */*", 200)]
    [InlineData("*/*", 200)]
    [InlineData("application/json", 200)]
    [InlineData("not a media type", 200)]
    [InlineData(null, 200)]
    public async Task the_root_leads_a_browser_to_the_documentation(string? accept, int expected)
    {
        using var http = new HttpClient(shared.Api.Host.Server.CreateHandler());
        foreach (var method in new[] { HttpMethod.Get, HttpMethod.Head })
        {
            using var request = new HttpRequestMessage(method, shared.Api.Host.Server.BaseAddress);
            if (accept is not null) request.Headers.TryAddWithoutValidation("Accept", accept);
            var answer = await http.SendAsync(request);
            Assert.Equal(expected, (int)answer.StatusCode);
            Assert.Equal(expected == 302 ? "/docs/" : null, answer.Headers.Location?.ToString());
            Assert.Equal(["Accept"], answer.Headers.Vary);
        }
    }
}
