using System.Globalization;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Log;

[Collection(nameof(OnPostgres))]
public sealed class LogSetupTests(SharedApi shared)
{
    /// <summary><c>START_ROUNDS</c> sets how often two nodes meet on an empty database.</summary>
    private static readonly int Rounds =
        int.Parse(Environment.GetEnvironmentVariable("START_ROUNDS") ?? "2", CultureInfo.InvariantCulture);

    [Fact]
    public async Task with_auto_create_off_the_schema_is_applied_and_asserted_from_the_command_line()
    {
        var connectionString = await shared.Server.NewEmptyDatabaseAsync();
        (string, string)[] settings =
            [("ConnectionStrings__ErrorTracker", connectionString), ("ErrorTracker__AutoCreate", "None")];

        var unlike = RunAsync("db-assert", works: false);
        var (exitCode, output) = await HostProcess.RunAsync(["--urls", "http://127.0.0.1:0"], settings);
        Assert.Equal(1, exitCode);
        Assert.StartsWith("The schema is not the one of this version. Run the command db-apply", output);
        await unlike;

        await RunAsync("db-apply", works: true);
        var alike = RunAsync("db-assert", works: true);
        await using var applied = await HostProcess.StartAsync(settings);
        await alike;
        await Eventually.Async(
            async () => (await applied.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");

        async Task RunAsync(string command, bool works)
        {
            var (exitCode, output) = await HostProcess.RunAsync([command], settings);
            Assert.True(exitCode == 0 == works, $"{command} ended with {exitCode}: {output}");
        }
    }

    [Fact]
    public async Task a_database_that_does_not_answer_is_named_in_one_line()
    {
        var (exitCode, output) = await HostProcess.RunAsync(
            [],
            ("ConnectionStrings__ErrorTracker", "Host=127.0.0.1;Port=1;Username=nobody;Password=secret"),
            ("ErrorTracker__DatabasePatience", "0"));
        Assert.Equal(1, exitCode);
        Assert.Equal("PostgreSQL does not answer: Failed to connect to 127.0.0.1:1", output.Trim());
    }

    [Fact]
    public async Task a_second_start_changes_nothing_in_the_schema()
    {
        var connectionString = await shared.Server.NewEmptyDatabaseAsync();
        await using (await TestApi.StartAsync(connectionString)) { }
        var before = await SchemaAsync(connectionString);
        await using (await TestApi.StartAsync(connectionString)) { }
        Assert.Contains("mt_events_by_time", before);
        Assert.Equal(before, await SchemaAsync(connectionString));
    }

    [Fact]
    public async Task two_first_nodes_at_once_make_one_schema_and_one_sequence_of_ids()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var connectionString = await shared.Server.NewEmptyDatabaseAsync();
            Task<TestApi> StartAsync(int node) => Task.Run(() =>
                TestApi.StartAsync(connectionString, ("ErrorTracker:SingleNode", "false")));
            var nodes = await Task.WhenAll(Enumerable.Range(0, 2).Select(StartAsync));
            var senders = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => nodes[i % 2].RegisterAsync()));
            Assert.Equal(Enumerable.Range(1, 6), senders.Select(sender => sender.Id).Order());
            await Task.WhenAll(senders.Select((sender, i) => nodes[(i + 1) % 2].ReportAsync(sender)));
            await nodes[0].FoldedAsync();
            Assert.Equal(6, await nodes[1].CountedAsync());
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    private static async Task<string> SchemaAsync(string connectionString)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(
            """
            select string_agg(oid || ' ' || relname, ', ' order by oid) from pg_class
            where relnamespace = 'errortracker'::regnamespace and relkind in ('r', 'i')
            """);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}
