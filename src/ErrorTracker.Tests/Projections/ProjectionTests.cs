using ErrorTracker.Commands;
using ErrorTracker.Counters;
using ErrorTracker.Projections;
using Npgsql;
using Spectre.Console;

namespace ErrorTracker.Tests.Projections;

/// <summary>
/// A projection that says no more than it must is run, shown, rebuilt, verified and pruned like the counters.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class ProjectionTests(SharedApi shared)
{
    private static readonly Projection Definition = ReleaseCounts.Definition;

    private static readonly DateTimeOffset Day = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task it_runs_beside_the_counters_and_is_shown()
    {
        await using var api = await StartAsync();
        var sender = await api.RegisterAsync();
        await SendAsync(api, sender, "1.0", "1.0", "2.0", null);
        await api.FoldedAsync();
        await api.FoldedAsync(Definition);

        Assert.Equal("=1 1.0=2 2.0=1", await CountsAsync(api));
        Assert.Equal(["Counters 5 caught up", "ReleaseCounts 2 caught up"], await ShownAsync(api));
        Assert.Contains("ReleaseCounts", await OutputAsync(api, "status"));
        var (ready, _) = await ReadyAsync(api);
        Assert.Equal(200, ready);
        Assert.Equal(
            "ErrorTracker, counters v5, releasecounts v2",
            await api.ScalarAsync<string>("select current_setting('application_name')"));
    }

    [Fact]
    public async Task a_failure_of_its_own_is_shown_and_does_not_stop_the_counters()
    {
        await using var api = await StartAsync();
        var sender = await api.RegisterAsync();
        await SendAsync(api, sender, "1.0");
        await api.FoldedAsync(Definition);
        await ExecuteAsync(api,
            "alter table errortracker.release_counts_v2 add constraint broken check (count < 1) not valid");
        await SendAsync(api, sender, "1.0");
        await api.FoldedAsync();
        await Eventually.Async(
            async () => await ShownAsync(api) is ["Counters 5 caught up", "ReleaseCounts 2 failing"],
            "it shows that it fails");
        var (status, text) = await ReadyAsync(api);
        Assert.Equal(503, status);
        Assert.Contains("The tables of ReleaseCounts cannot be folded", text);

        await ExecuteAsync(api, "alter table errortracker.release_counts_v2 drop constraint broken");
        await api.FoldedAsync(Definition);
        Assert.Equal("1.0=2", await CountsAsync(api));
    }

    [Fact]
    public async Task a_rebuild_that_was_cut_off_goes_on_where_it_was()
    {
        await using var api = await StartAsync();
        var sender = await api.RegisterAsync();
        await SendAsync(api, sender, [.. Enumerable.Range(0, 20).Select(i => $"{i % 2}.0")]);
        await api.FoldedAsync(Definition);
        await ExecuteAsync(api, "update errortracker.release_counts_v2 set count = 7");

        using var cut = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            new Rebuild(Definition, api.Database) { ChunkSize = 5 }.RunAsync(now =>
            {
                if (now.Folded >= 10) cut.Cancel();
            }, cut.Token));
        Assert.Equal(
            ["Counters 5 caught up", "ReleaseCounts 2 caught up", "ReleaseCounts 2 interrupted"],
            await ShownAsync(api));

        var starts = new List<long>();
        var again = new Rebuild(Definition, api.Database);
        Assert.True(await again.RunAsync(now => starts.Add(now.From), CancellationToken.None));
        Assert.Equal(10, starts[0]);
        Assert.Equal("0.0=10 1.0=10", await CountsAsync(api));
        Assert.Equal(["Counters 5 caught up", "ReleaseCounts 2 caught up"], await ShownAsync(api));
        Assert.Empty((await VerifyAsync(api)).Differences);
        Assert.Equal("release_counts_v2", await TablesAsync(api));
    }

    [Fact]
    public async Task rebuilds_of_two_projections_may_run_at_once_and_two_of_one_may_not()
    {
        await using var api = await StartAsync();
        await SendAsync(api, await api.RegisterAsync(), "1.0");
        await api.FoldedAsync(Definition);
        await using var rebuilding = await ConnectAsync(api, "another rebuild");
        await using (var hold = new NpgsqlCommand($"select pg_advisory_lock({Definition.RebuildLock})", rebuilding))
            await hold.ExecuteNonQueryAsync();
        var same = new Rebuild(Definition, api.Database);
        Assert.False(await same.RunAsync(_ => { }, CancellationToken.None));
        var other = new Rebuild(CountersProjection.Definition, api.Database);
        Assert.True(await other.RunAsync(_ => { }, CancellationToken.None));
    }

    [Fact]
    public async Task a_row_that_is_wrong_is_found_and_commands_take_one_projection_or_all()
    {
        await using var api = await StartAsync();
        var sender = await api.RegisterAsync();
        await SendAsync(api, sender, "1.0", "2.0");
        await api.FoldedAsync();
        await api.FoldedAsync(Definition);
        Assert.Equal(0, await RunAsync(api, "verify"));

        await ExecuteAsync(api, "update errortracker.release_counts_v2 set count = 5 where release = '2.0'");
        var verdict = await VerifyAsync(api);
        Assert.Equal([new Difference($"{sender.Id}", "d", Day, "2.0", 5, 1)], verdict.Differences);
        Assert.Equal((2, 2, 0), (verdict.Events, verdict.Compared, verdict.Unfolded));
        Assert.Equal(1, await RunAsync(api, "verify", "releasecounts"));
        Assert.Equal(0, await RunAsync(api, "verify", "Counters"));
        Assert.Equal(1, await RunAsync(api, "verify"));

        Assert.Equal(0, await RunAsync(api, "rebuild", "Counters"));
        Assert.Equal(1, await RunAsync(api, "verify"));
        Assert.Equal(0, await RunAsync(api, "rebuild"));
        Assert.Equal(0, await RunAsync(api, "verify"));
        Assert.Equal(2, await RunAsync(api, "rebuild", "Messages"));
    }

    [Fact]
    public async Task a_table_that_is_dropped_is_filled_again()
    {
        await using var api = await StartAsync();
        await SendAsync(api, await api.RegisterAsync(), "1.0", "1.0");
        await api.FoldedAsync(Definition);
        await ExecuteAsync(api, "drop table errortracker.release_counts_v2");
        await Eventually.Async(
            async () => await TablesAsync(api) != "" && (await ShownAsync(api))[1] == "ReleaseCounts 2 caught up",
            "it is filled again");
        Assert.Equal("1.0=2", await CountsAsync(api));
    }

    [Fact]
    public async Task an_older_version_is_dropped_when_no_node_runs_it()
    {
        await using var api = await StartAsync();
        await ExecuteAsync(api,
            """
            create table errortracker.release_counts_v1 (n int);
            create table errortracker.release_counts_v1_rebuild (n int);
            insert into errortracker.mt_event_progression (name, last_seq_id)
            values ('ReleaseCounts:All', 1), ('ReleaseCounts:All:Rebuild', 1)
            """);
        var prune = new Prune(new([CountersProjection.Definition, Definition]), api.Database);
        await using (await ConnectAsync(api, "ErrorTracker, counters v3, releasecounts v1"))
            Assert.Empty(await prune.RunAsync(CancellationToken.None));
        await Eventually.Async( // PostgreSQL forgets a connection a moment after it is closed
            async () => await prune.RunAsync(CancellationToken.None) is ["releasecounts v1"], "it is dropped");
        Assert.Equal("release_counts_v2", await TablesAsync(api));
        Assert.Equal(0, await api.ScalarAsync<long>(
            "select count(*) from errortracker.mt_event_progression where name like 'ReleaseCounts:All%'"));
    }

    private async Task<TestApi> StartAsync() => await TestApi.StartAsync(
        await shared.Server.NewDatabaseAsync(), services => services.AddProjection(Definition));

    /// <summary>One event each, all of one day.</summary>
    private static async Task SendAsync(TestApi api, Sender sender, params string?[] releases)
    {
        foreach (var release in releases)
        {
            api.Clock.Now = Day.AddHours(3);
            var tags = release is null ? "{}" : $$"""{"release":"{{release}}"}""";
            await api.PostEventAsync(sender,
                $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"boom","tags":{{tags}}}""",
                expected: 201);
        }
    }

    private static Task<string> CountsAsync(TestApi api) => api.ScalarAsync<string>(
        """
        select string_agg(c.release || '=' || c.count, ' ' order by c.release)
        from errortracker.release_counts_v2 as c
        """);

    private static async Task<string[]> ShownAsync(TestApi api)
    {
        var versions = (await api.GetAsync("/projections")).EnumerateArray();
        return
        [
            .. versions.Select(version =>
                $"{version.GetProperty("name")} {version.GetProperty("version")} {version.GetProperty("state")}"),
        ];
    }

    private static Task<string> TablesAsync(TestApi api) => api.ScalarAsync<string>(
        """
        select coalesce(string_agg(t.tablename, ' ' order by t.tablename), '')
        from pg_tables as t where t.tablename like 'release\_%'
        """);

    private static Task<Verdict> VerifyAsync(TestApi api) =>
        new Verify(api.Database).RunAsync(Definition, since: null, until: null, most: 10, CancellationToken.None);

    private static async Task<(int Status, string Text)> ReadyAsync(TestApi api)
    {
        var answer = await api.Host.Server.CreateClient().GetAsync("/health/ready");
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static async Task<int> RunAsync(TestApi api, params string[] command) =>
        await CommandLine.Read(["projections", .. command]).Run!(api.Host);

    private static async Task<string> OutputAsync(TestApi api, string command)
    {
        var console = AnsiConsole.Console;
        var output = new StringWriter();
        AnsiConsole.Console = AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) });
        AnsiConsole.Console.Profile.Width = 200;
        try
        {
            Assert.Equal(0, await RunAsync(api, command));
            return output.ToString();
        }
        finally
        {
            AnsiConsole.Console = console;
        }
    }

    private static async Task<NpgsqlConnection> ConnectAsync(TestApi api, string name)
    {
        var settings = new NpgsqlConnectionStringBuilder(api.Database.ConnectionString)
        {
            ApplicationName = name,
            Pooling = false,
        };
        var connection = new NpgsqlConnection(settings.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    private static async Task ExecuteAsync(TestApi api, string sql)
    {
        await using var command = api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
