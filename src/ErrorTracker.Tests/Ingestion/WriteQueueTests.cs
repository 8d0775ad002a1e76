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
        var bad = TestApi.Event(sender, DateTimeOffset.UtcNow) with { Error = new ErrorOccurred(default, "ERROR", "m", new("{\"n\":1e999999}"u8.ToArray()), null) };
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

        Assert.All(events, e => Assert.True(e.Settled.Task.IsCompletedSuccessfully));
        Assert.Equal(3_000, await api.ScalarAsync<long>("select count(*) from errortracker.mt_events"));
        await api.ReportAsync(sender, expected: 503);
        await api.DisposeAsync();
    }
}
