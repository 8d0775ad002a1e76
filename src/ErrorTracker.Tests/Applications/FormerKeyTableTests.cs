using ErrorTracker.Applications;
using ErrorTracker.Tests.Hosting;
using Npgsql;

namespace ErrorTracker.Tests.Applications;

/// <summary>On a database as version 0.1.0 left it.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class FormerKeyTableTests(SharedApi shared)
{
    /// <summary>As 0.1.0 made it, with the keys that are documents now, and nothing that 0.1.0 did not have.</summary>
    private const string Former =
        """
        create table errortracker.ingest_keys (
          id uuid not null primary key,
          application_id integer not null,
          prefix text not null,
          hash bytea not null,
          created_at timestamptz not null,
          last_used_at timestamptz,
          revoked_at timestamptz);
        create index ingest_keys_application on errortracker.ingest_keys (application_id);
        create index ingest_keys_revoked on errortracker.ingest_keys (revoked_at);
        insert into errortracker.ingest_keys (id, application_id, prefix, hash, created_at, last_used_at, revoked_at)
        select key.id, (key.data->>'ApplicationId')::int, key.data->>'Prefix', decode(key.data->>'Hash', 'base64'),
          (key.data->>'CreatedAt')::timestamptz, timestamptz '2026-05-04 10:00Z', (key.data->>'RevokedAt')::timestamptz
        from errortracker.mt_doc_ingest_key as key;
        drop table errortracker.mt_doc_ingest_key, errortracker.mt_doc_ingest_key_use, errortracker.mt_doc_id_counter cascade
        """;

    [Fact]
    public async Task its_keys_open_and_those_that_were_deleted_do_not()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var (kept, deleted) = await LeaveAsync(connectionString);
        await using (var upgraded = await TestApi.StartAsync(connectionString))
        {
            await upgraded.ReportAsync(kept);
            await upgraded.ReportAsync(deleted, expected: 403);
            Assert.Equal(2, (await upgraded.RegisterAsync()).Id);
        }

        // What the table says of last uses holds until the key is used again.
        await using var again = await TestApi.StartAsync(connectionString);
        await again.ReportAsync(kept);
        var key = Assert.Single(await again.GetAsync<KeySummary[]>($"/apps/{kept.Id}/keys"));
        Assert.InRange(key.LastUsedAt!.Value, new(2026, 5, 4, 10, 0, 0, TimeSpan.Zero), DateTimeOffset.UtcNow);
    }

    [Fact]
    public async Task what_has_happened_since_is_not_undone()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var (kept, _) = await LeaveAsync(connectionString);
        Sender fresh;
        await using (var upgraded = await TestApi.StartAsync(connectionString))
        {
            fresh = kept with { Key = (await upgraded.PostAsync<CreatedKey>($"/apps/{kept.Id}/keys")).IngestKey };
            var former = (await upgraded.GetAsync<KeySummary[]>($"/apps/{kept.Id}/keys"))[0];
            await upgraded.SendAsync(HttpMethod.Delete, $"/apps/{kept.Id}/keys/{former.Id}", 204);
        }
        await using var again = await TestApi.StartAsync(connectionString);
        await again.ReportAsync(kept, expected: 403);
        await again.ReportAsync(fresh);
    }

    [Fact]
    public async Task a_key_that_a_former_node_deletes_after_the_upgrade_is_deleted_at_the_next_start()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var (kept, _) = await LeaveAsync(connectionString);
        await using (var upgraded = await TestApi.StartAsync(connectionString)) await upgraded.ReportAsync(kept);
        await ExecuteAsync(connectionString, "update errortracker.ingest_keys set revoked_at = now()");
        await using var again = await TestApi.StartAsync(connectionString);
        await again.ReportAsync(kept, expected: 403);
    }

    [Fact]
    public async Task with_auto_create_off_they_open_after_db_apply()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var (kept, _) = await LeaveAsync(connectionString);
        (string, string)[] settings = [("ConnectionStrings__ErrorTracker", connectionString), ("ErrorTracker__AutoCreate", "None")];
        var (exitCode, output) = await HostProcess.RunAsync(["db-apply"], settings);
        Assert.True(exitCode == 0, output);
        await using var host = await HostProcess.StartAsync(settings);
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{kept.Id}/events")
        {
            Content = new StringContent("{}", null, "application/json"), Headers = { { "X-INGEST-KEY", kept.Key } },
        };
        Assert.Equal(400, (int)(await host.Http.SendAsync(request)).StatusCode);
    }

    /// <summary>An application with a key that opens it, and one that was deleted.</summary>
    private static async Task<(Sender Kept, Sender Deleted)> LeaveAsync(string connectionString)
    {
        Sender deleted, kept;
        await using (var api = await TestApi.StartAsync(connectionString))
        {
            deleted = await api.RegisterAsync();
            kept = deleted with { Key = (await api.PostAsync<CreatedKey>($"/apps/{deleted.Id}/keys")).IngestKey };
            var first = (await api.GetAsync<KeySummary[]>($"/apps/{deleted.Id}/keys"))[0];
            await api.SendAsync(HttpMethod.Delete, $"/apps/{deleted.Id}/keys/{first.Id}", 204);
        }
        await ExecuteAsync(connectionString, Former);
        return (kept, deleted);
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
