namespace ErrorTracker.Tests.Applications;

[Collection(nameof(OnAnotherPostgres))]
public sealed class RegisterApplicationTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task a_new_application_is_answered_with_its_key_and_listed_without_it()
    {
        var name = "shop " + Guid.NewGuid();
        var registered = await _api.SendAsync(HttpMethod.Post, "/apps/" + Uri.EscapeDataString(name), expected: 201);

        var id = registered.GetProperty("id").GetInt32();
        Assert.Equal(name, registered.GetProperty("name").GetString());
        Assert.Matches("^[0-9a-f]{32}$", registered.GetProperty("ingest_key").GetString());
        Assert.EndsWith("Z", registered.GetProperty("created_at").GetString());

        var one = await _api.GetAsync($"/apps/{id}");
        Assert.Equal(["id", "name", "created_at"], one.EnumerateObject().Select(m => m.Name));
        foreach (var list in new[] { "/apps", "/apps/" })
            Assert.Contains((await _api.GetAsync(list)).EnumerateArray(), a => a.GetRawText() == one.GetRawText());
    }

    [Fact]
    public async Task a_name_is_taken_once_and_a_refused_registration_uses_no_id()
    {
        var first = await _api.RegisterAsync();
        var name = (await _api.GetAsync($"/apps/{first.Id}")).GetProperty("name").GetString();
        await _api.SendAsync(HttpMethod.Post, $"/apps/{name}", expected: 409);
        Assert.Equal(first.Id + 1, (await _api.RegisterAsync()).Id);
    }

    [Fact]
    public async Task registrations_at_once_get_ids_without_gaps()
    {
        var before = (await _api.RegisterAsync()).Id;
        var senders = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => _api.RegisterAsync()));
        Assert.Equal(Enumerable.Range(before + 1, 8), senders.Select(s => s.Id).Order());
    }

    [Theory]
    [InlineData(" ")]
    [InlineData("a\u0001b")]
    [InlineData("line\nbreak")]
    public async Task a_name_that_nobody_could_read_is_refused(string name) => await RefusesAsync(name);

    [Fact]
    public async Task a_name_has_at_most_100_characters()
    {
        await RefusesAsync(new string('n', 101));
        await _api.SendAsync(HttpMethod.Post, "/apps/" + Guid.NewGuid().ToString("N") + new string('n', 68), expected: 201);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.0")]
    [InlineData("00")]
    [InlineData("abc")]
    public async Task an_id_that_is_no_positive_integer_is_named(string id) =>
        Assert.True((await _api.GetAsync($"/apps/{id}", expected: 400)).GetProperty("errors").TryGetProperty("app_id", out _));

    [Fact]
    public async Task an_unknown_application_is_not_found()
    {
        await _api.GetAsync("/apps/2000000000", expected: 404);
        await _api.GetAsync("/apps/99999999999", expected: 404);
    }

    [Fact]
    public async Task the_database_holds_no_key()
    {
        var sender = await _api.RegisterAsync();
        var holding = await _api.ScalarAsync<long>(
            $"select count(*) from errortracker.mt_doc_application as a where a::text like '%{sender.Key}%'");
        Assert.Equal(0, holding);
    }

    /// <summary>Strangers are kept from filling the database; who has the token is not limited.</summary>
    [Fact]
    public async Task without_a_read_token_so_many_are_registered_a_minute()
    {
        await using var open = await TestApi.StartAsync(
            await shared.Server.NewDatabaseAsync(), ("ErrorTracker:RegistrationsPerMinute", "2"));
        await open.SendAsync(HttpMethod.Post, "/apps/%01", expected: 400);
        foreach (var name in new[] { "a", "b" }) await open.SendAsync(HttpMethod.Post, "/apps/" + name, expected: 201);
        var refusal = await open.SendAsync(HttpMethod.Post, "/apps/c", expected: 429);
        Assert.Equal(
            "This node registers 2 applications a minute while no read token is set.",
            refusal.GetProperty("detail").GetString());
        open.Clock.Skipped += TimeSpan.FromSeconds(30);
        await open.SendAsync(HttpMethod.Post, "/apps/c", expected: 201);

        await using var guarded = await TestApi.StartAsync(
            await shared.Server.NewDatabaseAsync(), ("ErrorTracker:RegistrationsPerMinute", "2"), ("ERRORTRACKER_READ_TOKEN", "t"));
        foreach (var name in new[] { "a", "b", "c", "d" })
            await guarded.SendAsync(HttpMethod.Post, "/apps/" + name, 201, body: null as string, ("Authorization", "Bearer t"));
    }

    private async Task RefusesAsync(string name)
    {
        var refusal = await _api.SendAsync(HttpMethod.Post, "/apps/" + Uri.EscapeDataString(name), expected: 400);
        Assert.True(refusal.GetProperty("errors").TryGetProperty("name", out _));
    }
}
