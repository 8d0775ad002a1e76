using ErrorTracker.Commands;
using ErrorTracker.Counters;
using ErrorTracker.Projections;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Projections;

[Collection(nameof(OnPostgres))]
public sealed class RebuildTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task counters_that_are_wrong_are_found_and_rebuilt_while_events_arrive_and_answers_stay_whole()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 2_000).Select(i => TestApi.Event(sender, Start.AddMinutes(i), message: $"m{i % 7}")));
        await api.FoldedAsync();
        await api.ClosedAsync();
        await using (var spoil = api.Database.CreateCommand($"update {CounterTables.Current.Levels} set count = count + 1 where step = 'h' and bucket = '2026-05-04T05:00Z'"))
            await spoil.ExecuteNonQueryAsync();
        var (_, _, _, differences) = await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None);
        Assert.Equal([new Difference($"{sender.Id}", "h", Start.AddHours(5), "ERROR", 61, 60)], differences);
        Assert.Empty((await new Verify(api.Database).RunAsync(Start.AddHours(6), null, 10, CancellationToken.None)).Differences);
        Assert.Empty((await new Verify(api.Database).RunAsync(null, Start.AddHours(5.5), 10, CancellationToken.None)).Differences);

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
                var counted = (await api.GetAsync($"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01")).GetProperty("items")[0].GetProperty("count").GetInt32();
                Assert.InRange(counted, least, 2_000 + Volatile.Read(ref sent) + 1);
            }
        });
        var marks = new List<long>();
        for (var i = 0; i < 3; i++) Assert.True(await new Rebuild(api.Database).RunAsync(now => marks.Add(now.Folded), CancellationToken.None));
        await done.CancelAsync();
        await Task.WhenAll(sending, counting);

        await api.FoldedAsync();
        Assert.Contains(0, marks);
        Assert.Empty((await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None)).Differences);
        await using (await TestApi.StartAsync(api.Database.ConnectionString, ("ErrorTracker:AutoCreate", "None"))) { }
    }

    [Fact]
    public async Task a_rebuild_that_was_cut_off_goes_on_where_it_was()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 1_000).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        await api.FoldedAsync();

        foreach (var phase in new[] { "reading the log", "writing the counters", "catching up" })
        {
            using var cut = new CancellationTokenSource();
            var starts = new List<long>();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new Rebuild(api.Database) { PartSize = 300 }.RunAsync(now =>
            {
                starts.Add(now.From);
                if (now.Phase == phase && now.Folded > 0) cut.Cancel();
            }, cut.Token));
            Assert.Contains((await api.GetAsync("/projections")).EnumerateArray(), p => p.GetProperty("state").GetString() == "interrupted");
            if (phase != "reading the log") Assert.True(starts[0] >= 300, $"It started from {starts[0]} again.");
            await api.ReportAsync(sender);
            await api.FoldedAsync();
        }
        await new Rebuild(api.Database).RunAsync(_ => { }, CancellationToken.None);
        Assert.Empty((await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None)).Differences);
        Assert.Equal(CounterTables.Current.Names.Length, await api.ScalarAsync<long>("select count(*) from pg_tables where schemaname = 'errortracker' and tablename ~ '^(level|message|open|counter)_'"));
    }

    [Fact]
    public async Task a_reader_that_holds_the_tables_delays_the_rebuild_and_nobody_else()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();
        var phases = new List<string>();
        Task<bool> rebuild;
        await using (var connection = await api.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await new Npgsql.NpgsqlCommand($"select from {CounterTables.Current.Levels}", connection).ExecuteNonQueryAsync();
            rebuild = new Rebuild(api.Database).RunAsync(now => phases.Add(now.Phase), CancellationToken.None);
            await Eventually.Async(() => Task.FromResult(phases.Count(phase => phase == "waiting for readers") > 2), "the rebuild waits");
            await api.ReportAsync(sender);
            Assert.Equal(2, (await api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items").GetArrayLength());
        }
        Assert.True(await rebuild);
        await api.FoldedAsync();
        Assert.Empty((await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None)).Differences);
    }

    [Fact]
    public async Task texts_and_last_seen_are_verified_and_a_lost_text_is_found_in_the_log()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync([TestApi.Event(sender, Start, message: "lost"), TestApi.Event(sender, Start.AddSeconds(1), message: "lost")]);
        await api.FoldedAsync();
        await api.ClosedAsync();
        await api.ScalarAsync<int>($"with gone as (delete from {CounterTables.Current.Texts} returning 1), moved as (update {CounterTables.Current.Messages} set last_seen = last_seen - interval '1 s' where step = 'h' returning 1) select 1");
        var (_, _, _, differences) = await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None);
        Assert.Equal(["h", "text"], differences.Select(d => d.Step));
        Assert.Contains("last seen", differences[0].Subject);
        Assert.Equal("lost", (await api.GetAsync($"/apps/{sender.Id}/stats/top-messages?since=2026-01-01&until=2027-01-01")).GetProperty("items")[0].GetProperty("message").GetString());
    }

    [Fact]
    public async Task an_event_that_has_just_arrived_does_not_make_a_shard_look_stopped()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        await api.ReportAsync(await api.RegisterAsync());
        Assert.Equal("catching up", (await api.GetAsync("/projections"))[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task a_log_that_no_node_folds_is_told_of_and_rebuilt()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 50).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        var status = (await api.GetAsync("/projections"))[0];
        Assert.Equal(("stopped", 50), (status.GetProperty("state").GetString(), status.GetProperty("lag").GetInt32()));

        Assert.Equal((0, 50), await VerifyAsync());
        Assert.Equal(0, (await HostProcess.RunAsync(["projections", "rebuild", "counters"], ("ConnectionStrings__ErrorTracker", connectionString))).ExitCode);
        Assert.Equal(50, (await api.GetAsync("/projections"))[0].GetProperty("processed").GetInt32());
        Assert.Equal((50, 0), await VerifyAsync());

        async Task<(long Recounted, long Unfolded)> VerifyAsync()
        {
            var (events, _, unfolded, _) = await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None);
            return (events, unfolded);
        }
    }

    [Fact]
    public async Task commands_work_beside_a_host_and_verify_tells_by_its_exit_code()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();
        Task<(int ExitCode, string Output)> RunAsync(string command) => HostProcess.RunAsync(["projections", command], ("ConnectionStrings__ErrorTracker", connectionString));
        async Task<int> RunHereAsync(params string[] command) =>
            CommandLine.Read(["projections", .. command]) is { Run: { } run } ? await run(api.Host) : CommandLine.Misused;

        Assert.Contains("caught up", (await RunAsync("status")).Output);
        Assert.Equal(0, await RunHereAsync("rebuild"));
        Assert.Equal(0, await RunHereAsync("verify"));
        await using (var spoil = api.Database.CreateCommand($"delete from {CounterTables.Current.Messages}")) await spoil.ExecuteNonQueryAsync();
        var (exitCode, output) = await RunAsync("verify");
        Assert.Equal(1, exitCode);
        Assert.Contains("Recounted 1 events", output);
        Assert.Equal(2, await RunHereAsync("verify", "--since", "yesterday"));
        Assert.Equal(2, await RunHereAsync("dance"));
    }

    [Fact]
    public async Task versions_that_no_node_runs_are_dropped_and_others_are_kept()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        foreach (var version in new[] { 7, 8 })
            foreach (var table in new CounterTables($"v{version}").Names)
            {
                await using var create = api.Database.CreateCommand($"create table {table} (n int)");
                await create.ExecuteNonQueryAsync();
            }
        await using var node = Npgsql.NpgsqlDataSource.Create(new Npgsql.NpgsqlConnectionStringBuilder(api.Database.ConnectionString) { ApplicationName = new CounterTables("v8").NodeName });
        await using var connection = await node.OpenConnectionAsync();
        Assert.Equal([7u], await new Prune(api.Database).RunAsync(CancellationToken.None));
        Assert.Equal(CounterTables.Current.Names.Length, await api.ScalarAsync<long>("select count(*) from pg_tables where tablename like '%\\_v8'"));
        Assert.Equal(CounterTables.Current.Names.Length, await api.ScalarAsync<long>($"select count(*) from pg_tables where tablename like '%\\_v{CounterTables.Version}' and schemaname = 'errortracker'"));
    }
}
