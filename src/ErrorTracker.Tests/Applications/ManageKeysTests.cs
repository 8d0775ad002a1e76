using System.Text.Json;
using ErrorTracker.Applications;
using Marten;

namespace ErrorTracker.Tests.Applications;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ManageKeysTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task keys_are_rotated_with_overlap()
    {
        var old = await _api.RegisterAsync();
        var created = await CreateAsync(old);
        var fresh = old with { Key = created.GetProperty("ingest_key").GetString()! };
        Assert.Equal($"http://{fresh.Key}@localhost/{old.Id}", created.GetProperty("dsn").GetString());
        await _api.ReportAsync(old);
        await _api.ReportAsync(fresh);

        var keys = (await _api.GetAsync($"/apps/{old.Id}/keys")).EnumerateArray().ToList();
        Assert.Equal([old.Key[..8], fresh.Key[..8]], keys.Select(key => key.GetProperty("prefix").GetString()));
        Assert.All(keys, key => Assert.Equal(["id", "prefix", "created_at", "last_used_at"], key.EnumerateObject().Select(member => member.Name)));

        await DeleteAsync(old, keys[0].GetProperty("id").GetString()!, 204);
        await _api.ReportAsync(old, expected: 403);
        await _api.ReportAsync(fresh);
        Assert.Equal(created.GetProperty("id").GetString(), Assert.Single((await _api.GetAsync($"/apps/{old.Id}/keys")).EnumerateArray()).GetProperty("id").GetString());
    }

    /// <summary>Both on one database: what one does the other heeds, a new key at once.</summary>
    [Fact]
    public async Task other_nodes_heed_new_and_deleted_keys()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var one = await TestApi.StartAsync(connectionString);
        await using var other = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var first = await one.RegisterAsync();
        await other.ReportAsync(first);
        var second = first with { Key = (await one.SendAsync(HttpMethod.Post, $"/apps/{first.Id}/keys", 201)).GetProperty("ingest_key").GetString()! };
        await other.ReportAsync(second);

        var id = (await one.GetAsync($"/apps/{first.Id}/keys"))[0].GetProperty("id").GetString();
        await one.SendAsync(HttpMethod.Delete, $"/apps/{first.Id}/keys/{id}", 204);
        await Eventually.Async(async () => await StatusAsync(other, first) == 403, "the other node refuses the deleted key");
        await other.ReportAsync(second);
        await other.Host.StopAsync();
        Assert.Equal(JsonValueKind.String, (await one.GetAsync($"/apps/{first.Id}/keys"))[0].GetProperty("last_used_at").ValueKind);
    }

    /// <summary>It was paused, or cut off, while the key was deleted: it has not heard of it.</summary>
    [Fact]
    public async Task a_node_that_looked_away_asks_before_a_key_opens()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var one = await TestApi.StartAsync(connectionString);
        await using var other = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var sender = await one.RegisterAsync();
        await other.ReportAsync(sender);
        var id = (await one.GetAsync($"/apps/{sender.Id}/keys"))[0].GetProperty("id").GetString();
        await one.SendAsync(HttpMethod.Delete, $"/apps/{sender.Id}/keys/{id}", 204);
        other.Clock.Skipped += TimeSpan.FromMinutes(1);
        await other.ReportAsync(sender, expected: 403);
    }

    [Fact]
    public async Task a_key_whose_deletion_is_long_ago_is_refused_by_a_node_that_still_knows_it()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender);
        await using (var session = _api.Store.LightweightSession())
        {
            var key = await session.Query<IngestKey>().SingleAsync(key => key.ApplicationId == sender.Id);
            session.Update(key with { RevokedAt = key.CreatedAt.AddHours(-1) });
            await session.SaveChangesAsync();
        }
        await Eventually.Async(async () => await StatusAsync(_api, sender) == 403, "the key is refused");
    }

    [Fact]
    public async Task a_key_belongs_to_its_application_and_there_are_ten_at_most()
    {
        var (mine, other) = (await _api.RegisterAsync(), await _api.RegisterAsync());
        var id = (await _api.GetAsync($"/apps/{mine.Id}/keys"))[0].GetProperty("id").GetString()!;
        await DeleteAsync(other, id, 404);
        await DeleteAsync(mine, "nothing", 404);
        await _api.ReportAsync(other with { Key = mine.Key }, expected: 403);
        for (var i = 1; i < 10; i++) await CreateAsync(mine);
        await CreateAsync(mine, expected: 409);
        await _api.SendAsync(HttpMethod.Post, "/apps/2000000000/keys", 404);
    }

    private Task<JsonElement> CreateAsync(Sender sender, int expected = 201) => _api.SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/keys", expected);

    private Task<JsonElement> DeleteAsync(Sender sender, string id, int expected) => _api.SendAsync(HttpMethod.Delete, $"/apps/{sender.Id}/keys/{id}", expected);

    private static async Task<int> StatusAsync(TestApi api, Sender sender)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events") { Content = new StringContent("{}", null, "application/json"), Headers = { { "X-INGEST-KEY", sender.Key } } };
        return (int)(await api.Host.Server.CreateClient().SendAsync(request)).StatusCode;
    }
}
