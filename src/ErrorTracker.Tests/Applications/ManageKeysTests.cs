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
        var fresh = old with { Key = created.IngestKey };
        Assert.Equal($"http://{fresh.Key}@localhost/{old.Id}", created.Dsn);
        await _api.ReportAsync(old);
        await _api.ReportAsync(fresh);

        var keys = await KeysAsync(_api, old);
        Assert.Equal([old.Key[..8], fresh.Key[..8]], keys.Select(key => key.Prefix));

        await DeleteAsync(old, keys[0].Id, 204);
        await _api.ReportAsync(old, expected: 403);
        await _api.ReportAsync(fresh);
        Assert.Equal(created.Id, Assert.Single(await KeysAsync(_api, old)).Id);
    }

    [Fact]
    public async Task a_list_of_keys_shows_nothing_that_opens()
    {
        var keys = await _api.GetAsync($"/apps/{(await _api.RegisterAsync()).Id}/keys");
        Assert.Equal(
            ["id", "prefix", "created_at", "last_used_at"],
            Assert.Single(keys.EnumerateArray()).EnumerateObject().Select(member => member.Name));
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
        var second = first with { Key = (await one.PostAsync<CreatedKey>($"/apps/{first.Id}/keys")).IngestKey };
        await other.ReportAsync(second);

        var id = (await KeysAsync(one, first))[0].Id;
        await one.SendAsync(HttpMethod.Delete, $"/apps/{first.Id}/keys/{id}", 204);
        await Eventually.Async(async () => await StatusAsync(other, first) == 403, "the other node refuses the deleted key");
        await other.ReportAsync(second);
        await other.Host.StopAsync();
        Assert.NotNull((await KeysAsync(one, first))[0].LastUsedAt);
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
        var id = (await KeysAsync(one, sender))[0].Id;
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
        await DeleteAsync(other, (await KeysAsync(_api, mine))[0].Id, 404);
        await _api.SendAsync(HttpMethod.Delete, $"/apps/{mine.Id}/keys/nothing", 404);
        await _api.ReportAsync(other with { Key = mine.Key }, expected: 403);
        for (var i = 1; i < 10; i++) await CreateAsync(mine);
        await _api.SendAsync(HttpMethod.Post, $"/apps/{mine.Id}/keys", 409);
        await _api.SendAsync(HttpMethod.Post, "/apps/2000000000/keys", 404);
    }

    [Fact]
    public async Task a_key_is_deleted_once()
    {
        var sender = await _api.RegisterAsync();
        var id = (await KeysAsync(_api, sender))[0].Id;
        await DeleteAsync(sender, id, 204);
        await DeleteAsync(sender, id, 404);
        Assert.Empty(await KeysAsync(_api, sender));
    }

    private Task<CreatedKey> CreateAsync(Sender sender) => _api.PostAsync<CreatedKey>($"/apps/{sender.Id}/keys");

    private Task<JsonElement> DeleteAsync(Sender sender, Guid id, int expected) =>
        _api.SendAsync(HttpMethod.Delete, $"/apps/{sender.Id}/keys/{id}", expected);

    private static Task<KeySummary[]> KeysAsync(TestApi api, Sender sender) =>
        api.GetAsync<KeySummary[]>($"/apps/{sender.Id}/keys");

    private static async Task<int> StatusAsync(TestApi api, Sender sender)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events");
        request.Content = new StringContent("{}", null, "application/json");
        request.Headers.Add("X-INGEST-KEY", sender.Key);
        return (int)(await api.Host.Server.CreateClient().SendAsync(request)).StatusCode;
    }
}
