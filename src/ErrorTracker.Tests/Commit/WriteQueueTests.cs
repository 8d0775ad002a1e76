using ErrorTracker.Commit;

namespace ErrorTracker.Tests.Commit;

[Collection(nameof(OnPostgres))]
public sealed class WriteQueueTests(SharedApi shared)
{
    [Fact]
    public async Task events_of_many_applications_sent_at_once_are_each_stored_once_in_their_own_log()
    {
        var senders = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => shared.Api.RegisterAsync()));
        await shared.Api.StoreAsync([.. senders.SelectMany(sender => Events(sender, 400))]);
        foreach (var sender in senders)
            Assert.Equal(400, await shared.Api.ScalarAsync<long>(
                $"""
                select count(distinct data->>'message') from errortracker.mt_events where tenant_id = '{sender.Id}'
                """));
    }

    [Fact]
    public async Task an_event_that_the_database_refuses_does_not_cost_those_that_wait_with_it()
    {
        var sender = await shared.Api.RegisterAsync();
        var good = Events(sender, 50).ToList();
        var bad = TestApi.Event(sender, DateTimeOffset.UtcNow) with { Data = "{\"n\":1e999999}"u8.ToArray() };
        var stored = shared.Api.StoreAsync([.. good[..25], bad, .. good[25..]]);
        await Assert.ThrowsAnyAsync<Exception>(() => stored);
        Assert.All(good, g => Assert.Equal(Fate.Stored, g.Settled.Task.Result.Fate));
        var count = $"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}'";
        Assert.Equal(50, await shared.Api.ScalarAsync<long>(count));
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
    /// PostgreSQL commits, then waits for a standby that does not exist; its session is ended while it waits. The host
    /// sees a commit that failed, of an event that is stored.
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
            var body = $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"once"{{name}}}""";
            sent = api.PostEventAsync(sender, body, expected: 201);
            await Eventually.Async(async () => await api.ScalarAsync<long>(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and wait_event = 'SyncRep' and query ilike '%mt_events%'
                """) > 0, "a commit waits and is cut off");
        }
        finally
        {
            await SettleAsync("alter system reset synchronous_standby_names");
        }
        await sent;
        Assert.Equal(1, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));
    }

    /// <summary>
    /// A command that takes too long is cancelled, and PostgreSQL answers a commit that waits for its standby as done,
    /// with a warning: it is not where the operator wants it yet.
    /// </summary>
    [Fact]
    public async Task a_commit_that_its_standby_has_not_got_is_not_answered()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await SettleAsync("alter system set synchronous_standby_names = 'nobody'");
        Task<System.Text.Json.JsonElement> sent;
        try
        {
            sent = api.ReportAsync(sender);
            for (var cancelled = 0L; cancelled < 3;)
                await Eventually.Async(async () =>
                {
                    var now = await api.ScalarAsync<long>(
                        """
                        select count(pg_cancel_backend(pid)) from pg_stat_activity
                        where datname = current_database() and wait_event = 'SyncRep'
                          and backend_type = 'client backend'
                          and (query ilike '%mt_events%' or query ilike '%pg_logical_emit_message%'
                            or query ilike 'commit%')
                        """);
                    cancelled += now;
                    return now > 0;
                }, "a commit waits and is cancelled");
            Assert.False(sent.IsCompleted);
        }
        finally
        {
            await SettleAsync("alter system reset synchronous_standby_names");
        }
        await sent;
        Assert.Equal(1, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));
    }

    /// <summary>By P0001, by a state that is said to pass, and by the one of an id that is taken.</summary>
    [Theory]
    [InlineData("P0001")]
    [InlineData("55000")]
    [InlineData("23505")]
    public async Task whatever_the_database_refuses_an_event_for_costs_that_event_alone(string state)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await using (var rule = api.Database.CreateCommand(
            $"""
            create function errortracker.refuse() returns trigger language plpgsql as $$ begin
              if new.data->>'message' = 'poison' then raise 'not this one' using errcode = '{state}'; end if;
              return new;
            end $$;
            create trigger refuse before insert on errortracker.mt_events
              for each row execute function errortracker.refuse()
            """))
            await rule.ExecuteNonQueryAsync();
        var events = Enumerable.Range(0, 50)
            .Select(i => TestApi.Event(sender, DateTimeOffset.UtcNow, message: i == 20 ? "poison" : "good")).ToList();
        await Assert.ThrowsAnyAsync<Exception>(() => api.StoreAsync(events));
        Assert.Equal(49, events.Count(pending => pending.Settled.Task.Result.Fate == Fate.Stored));
        Assert.Equal(49, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));
    }

    /// <summary>
    /// A number that is drawn for an event which is stored already leaves a gap, at which projections wait.
    /// </summary>
    [Fact]
    public async Task ids_that_are_sent_many_times_at_once_draw_no_number_in_vain()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        var now = DateTimeOffset.UtcNow;
        for (var round = 0; round < 10; round++)
        {
            var ids = Enumerable.Range(0, 30).Select(_ => Guid.NewGuid()).ToList();
            await api.StoreAsync(Enumerable.Range(0, 4).SelectMany(_ => ids)
                .Select(id => TestApi.Event(sender, now) with { Id = id, MayRepeat = true }));
        }
        Assert.Equal((300, 300), (
            await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"),
            await api.ScalarAsync<long>("select last_value from errortracker.mt_events_sequence")));
    }

    private static IEnumerable<PendingEvent> Events(Sender sender, int count) =>
        Enumerable.Range(0, count).Select(i => TestApi.Event(sender, DateTimeOffset.UtcNow, message: $"m{i}"));

    private async Task SettleAsync(string setting)
    {
        await using var connection = await shared.Api.Database.OpenConnectionAsync();
        foreach (var sql in new[] { setting, "select pg_reload_conf()" })
            await new Npgsql.NpgsqlCommand(sql, connection).ExecuteNonQueryAsync();
    }
}
