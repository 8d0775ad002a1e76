using ErrorTracker.Counters;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Tests.Projections;

[Collection(nameof(OnPostgres))]
public sealed class RebuildTests(SharedApi shared)
{
    private const string Everything = "since=2020-01-01&until=2100-01-01";

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    private static readonly CounterTables Tables = CounterTables.Current;

    [Fact]
    public async Task counters_that_are_wrong_are_rebuilt_while_events_arrive_and_answers_stay_whole()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Events(sender, 2_000));
        await api.FoldedAsync();
        await api.ClosedAsync();
        await ExecuteAsync(api, $"update {Tables.Messages} set count = count + 1 where step = 'h'");

        var sent = 0;
        using var done = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                await api.ReportAsync(sender);
                Interlocked.Increment(ref sent);
            }
        });
        var counting = Task.Run(async () =>
        {
            while (!done.IsCancellationRequested)
            {
                var least = 2_000 + Volatile.Read(ref sent);
                var counted = await api.GetAsync($"/apps/{sender.Id}/stats/by-level?{Everything}");
                var events = counted.GetProperty("items")[0].GetProperty("count").GetInt32();
                Assert.InRange(events, least, 2_000 + Volatile.Read(ref sent) + 1);
            }
        });
        var folded = new List<long>();
        for (var i = 0; i < 3; i++)
            Assert.True(await Rebuild(api).RunAsync(now => folded.Add(now.Folded), CancellationToken.None));
        await done.CancelAsync();
        await Task.WhenAll(sending, counting);

        Assert.Contains(0, folded);
        await AssertWholeAsync(api);
        await using (await TestApi.StartAsync(api.Database.ConnectionString, ("ErrorTracker:AutoCreate", "None"))) { }
    }

    [Theory]
    [InlineData("reading the log")]
    [InlineData("writing the tables")]
    [InlineData("catching up")]
    public async Task a_rebuild_that_was_cut_off_goes_on_where_it_was(string phase)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Events(sender, 1_000));
        await api.FoldedAsync();

        using var cut = new CancellationTokenSource();
        var rebuild = new Rebuild(CountersProjection.Definition, api.Database) { PartSize = 300 };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => rebuild.RunAsync(now =>
        {
            if (now.Phase == phase && now.Folded > 0) cut.Cancel();
        }, cut.Token));
        Assert.Contains("interrupted", await StatesAsync(api));
        await api.ReportAsync(sender);
        await api.FoldedAsync();

        var starts = new List<long>();
        Assert.True(await Rebuild(api).RunAsync(now => starts.Add(now.From), CancellationToken.None));
        Assert.InRange(starts[0], 300, 1_000);
        await AssertWholeAsync(api);
        Assert.Equal(["caught up"], await StatesAsync(api));
        Assert.Equal(Tables.All.Length, await api.ScalarAsync<long>(
            """
            select count(*) from pg_tables as t
            where t.schemaname = 'errortracker' and t.tablename ~ '_v5(_|$)'
            """));
    }

    [Fact]
    public async Task a_reader_that_holds_the_tables_delays_the_rebuild_and_nobody_else()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();
        var waits = 0;
        Task<bool> rebuild;
        await using (var connection = await api.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await new NpgsqlCommand($"select from {Tables.Levels}", connection).ExecuteNonQueryAsync();
            rebuild = Rebuild(api).RunAsync(now =>
            {
                if (now.Phase == "waiting for readers") Interlocked.Increment(ref waits);
            }, CancellationToken.None);
            await Eventually.Async(() => Task.FromResult(Volatile.Read(ref waits) > 2), "the rebuild waits");
            await api.ReportAsync(sender);
            Assert.Equal(2, (await api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
        }
        Assert.True(await rebuild);
        await AssertWholeAsync(api);
    }

    /// <summary>Other nodes know this number, those of former versions too.</summary>
    [Fact]
    public void the_lock_of_the_counters_is_the_one_that_it_always_was() =>
        Assert.Equal(0x45525242, CountersProjection.Definition.RebuildLock);

    private static Rebuild Rebuild(TestApi api) => new(CountersProjection.Definition, api.Database);

    private static IEnumerable<ErrorTracker.Commit.PendingEvent> Events(Sender sender, int count) =>
        Enumerable.Range(0, count).Select(i => TestApi.Event(sender, Start.AddMinutes(i), message: $"m{i % 7}"));

    private static async Task<IEnumerable<string?>> StatesAsync(TestApi api) =>
        (await api.GetAsync("/projections")).EnumerateArray().Select(p => p.GetProperty("state").GetString());

    private static async Task AssertWholeAsync(TestApi api)
    {
        await api.FoldedAsync();
        var verify = new Verify(api.Database);
        var verdict = await verify.RunAsync(CountersProjection.Definition, null, null, 10, CancellationToken.None);
        Assert.Empty(verdict.Differences);
    }

    private static async Task ExecuteAsync(TestApi api, string sql)
    {
        await using var command = api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
