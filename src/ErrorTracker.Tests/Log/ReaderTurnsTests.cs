using ErrorTracker.Counters;
using ErrorTracker.Log;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ErrorTracker.Tests.Log;

public sealed class ReaderTurnsTests
{
    [Fact]
    public async Task one_application_has_half_and_another_still_reads_at_once()
    {
        var turns = new ReaderTurns(8);
        for (var i = 0; i < 4; i++) await turns.TakeAsync(1, default);
        var fifth = turns.TakeAsync(1, default);
        Assert.False(fifth.IsCompleted);
        Assert.True(turns.TakeAsync(2, default).IsCompletedSuccessfully);
        await Assert.ThrowsAsync<TooManyReadersException>(async () => await fifth);
    }

    [Fact]
    public async Task who_waits_reads_when_another_has_read()
    {
        var turns = new ReaderTurns(2);
        var first = await turns.TakeAsync(1, default);
        var second = turns.TakeAsync(1, default);
        Assert.False(second.IsCompleted);
        first.Dispose();
        first.Dispose(); // counts once
        using var granted = await second;
        Assert.False(turns.TakeAsync(1, default).IsCompleted);
    }

    [Fact]
    public async Task who_gives_up_takes_no_turn_and_more_than_some_do_not_even_wait()
    {
        var turns = new ReaderTurns(2);
        var first = await turns.TakeAsync(1, default);
        using var gone = new CancellationTokenSource();
        var waiting = Enumerable.Range(0, 64).Select(_ => turns.TakeAsync(1, gone.Token).AsTask()).ToList();
        await Assert.ThrowsAsync<TooManyReadersException>(async () => await turns.TakeAsync(1, default));
        await gone.CancelAsync();
        foreach (var one in waiting) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => one);
        first.Dispose();
        Assert.True(turns.TakeAsync(1, default).IsCompletedSuccessfully);
    }
}

/// <summary>What must never wait does not, however many readers there are.</summary>
[Collection(nameof(OnPostgres))]
public sealed class SlowReadersTests(SharedApi shared)
{
    [Fact]
    public async Task readers_that_hang_keep_neither_events_nor_keys_nor_readiness_nor_registrations_waiting()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();
        var database = api.Host.Services.GetRequiredService<LogDatabases>().Main;
        await using var connection = await database.Lanes.OpenConnectionAsync();
        Task<HttpResponseMessage>[] readers;
        await using (await connection.BeginTransactionAsync())
        {
            var hold = $"lock table {CounterTables.Current.Levels} in access exclusive mode";
            await using (var command = new NpgsqlCommand(hold, connection))
                await command.ExecuteNonQueryAsync();
            var url = $"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01";
            Task<HttpResponseMessage> ReadAsync(int reader) => api.Host.Server.CreateClient().GetAsync(url);
            readers = [.. Enumerable.Range(0, LogDatabase.MostReaders / 2).Select(ReadAsync)];
            await Eventually.Async(async () => await api.ScalarAsync<long>(
                """
                select count(*) from pg_locks as l join pg_database as d on d.oid = l.database
                where not l.granted and l.mode = 'AccessShareLock' and d.datname = current_database()
                """) == readers.Length, "all readers hang");
            var refused = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => api.GetAsync(url, expected: 503)));
            Assert.All(refused, answer => Assert.Contains("statistics", answer.GetProperty("detail").GetString()));

            var other = await api.RegisterAsync();
            await api.ReportAsync(other);
            await api.SendAsync(HttpMethod.Post, $"/apps/{other.Id}/keys", expected: 201);
            using var client = api.Host.Server.CreateClient();
            await Eventually.Async(
                async () => (await client.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
        }
        Assert.All(await Task.WhenAll(readers), answer => Assert.True((int)answer.StatusCode is 200 or 503));
    }
}
