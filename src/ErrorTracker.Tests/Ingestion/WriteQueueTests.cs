using ErrorTracker.Ingestion;

namespace ErrorTracker.Tests.Ingestion;

[Collection(nameof(OnPostgres))]
public sealed class WriteQueueTests(SharedApi shared)
{
    [Fact]
    public async Task events_of_many_applications_sent_at_once_are_each_stored_once_in_their_own_log()
    {
        var senders = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => shared.Api.RegisterAsync()));
        var events = senders.SelectMany(s => Enumerable.Range(0, 400).Select(i => TestApi.Event(s, DateTimeOffset.UtcNow, message: $"m{i}"))).ToList();
        await shared.Api.StoreAsync(events);
        foreach (var sender in senders)
            Assert.Equal(400, await shared.Api.ScalarAsync<long>($"select count(distinct data->>'message') from errortracker.mt_events where tenant_id = '{sender.Id}'"));
    }

    [Fact]
    public async Task an_event_that_the_database_refuses_does_not_cost_those_that_wait_with_it()
    {
        var sender = await shared.Api.RegisterAsync();
        var good = Enumerable.Range(0, 50).Select(i => TestApi.Event(sender, DateTimeOffset.UtcNow, message: $"m{i}")).ToList();
        var bad = TestApi.Event(sender, DateTimeOffset.UtcNow) with { Data = "{\"n\":1e999999}"u8.ToArray() };
        var stored = shared.Api.StoreAsync([.. good[..25], bad, .. good[25..]]);
        await Assert.ThrowsAnyAsync<Exception>(() => stored);
        Assert.All(good, g => Assert.True(g.Settled.Task.IsCompletedSuccessfully));
        Assert.Equal(50, await shared.Api.ScalarAsync<long>($"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}'"));
    }

    [Fact]
    public async Task what_was_accepted_before_a_stop_is_committed_and_what_comes_after_is_refused()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var api = await TestApi.StartAsync(connectionString);
        var sender = await api.RegisterAsync();
        var events = Enumerable.Range(0, 3_000).Select(_ => TestApi.Event(sender, DateTimeOffset.UtcNow)).ToList();
        foreach (var pending in events) Assert.True(api.Queue.TryEnqueue(pending));
        await api.Queue.StopAsync(CancellationToken.None);

        await Task.WhenAll(events.Select(e => e.Settled.Task)).WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(3_000, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));
        await api.ReportAsync(sender, expected: 503);
        await api.DisposeAsync();
    }

    /// <summary>
    /// PostgreSQL commits, then waits for a standby that does not exist; its session is ended while it waits. The host sees a commit that failed, of an
    /// event that is stored.
    /// </summary>
    [Theory]
    [InlineData("")]
    [InlineData(""","event_id":"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10" """)]
    public async Task a_commit_in_doubt_is_neither_refused_nor_stored_twice(string name)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await SettleAsync("alter system set synchronous_standby_names = 'nobody'");
        Task<System.Text.Json.JsonElement> sent;
        try
        {
            sent = api.PostEventAsync(sender, $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"once"{{name}}}""", expected: 201);
            await Eventually.Async(async () => await api.ScalarAsync<long>(
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = current_database() and wait_event = 'SyncRep' and query ilike 'commit%'") > 0, "a commit waits and is cut off");
        }
        finally
        {
            await SettleAsync("alter system reset synchronous_standby_names");
        }
        await sent;
        Assert.Equal(1, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));

        async Task SettleAsync(string setting)
        {
            await using var connection = await shared.Api.Database.OpenConnectionAsync();
            foreach (var sql in new[] { setting, "select pg_reload_conf()" }) await new Npgsql.NpgsqlCommand(sql, connection).ExecuteNonQueryAsync();
        }
    }
}
