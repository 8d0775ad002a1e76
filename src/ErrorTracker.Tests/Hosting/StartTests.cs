using System.Globalization;
using ErrorTracker.Counters;
using ErrorTracker.Hosting;
using Npgsql;

namespace ErrorTracker.Tests.Hosting;

/// <summary>Hosts whose PostgreSQL is another's, and is not there when they start, goes away while they do, or is new to two of them.</summary>
[Collection(nameof(OnPostgres))]
public sealed class StartTests(SharedApi shared) : IDisposable
{
    /// <summary><c>START_ROUNDS</c> sets how often two nodes meet on an empty database.</summary>
    private static readonly int Rounds = int.TryParse(Environment.GetEnvironmentVariable("START_ROUNDS"), CultureInfo.InvariantCulture, out var rounds) ? rounds : 3;

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private (string, string) Settings => ("ConnectionStrings__ErrorTracker", $"Host={_folder}/socket;Username=errortracker;Database=postgres;Pooling=false");

    [Fact]
    public async Task a_postgresql_that_comes_later_is_waited_for()
    {
        await using var host = HostProcess.Begin(Settings);
        await Eventually.Async(() => Task.FromResult(host.Output.Contains("PostgreSQL does not answer, and is waited for")), "the host waits");
        await using var cluster = await StartClusterAsync();
        await host.ListensAsync();
        Assert.Equal(1, (await host.RegisterAsync()).Id);
    }

    /// <summary>The host comes up by itself, or says in one line why it does not, and does so at its next start.</summary>
    [Theory]
    [InlineData("exists (select from pg_stat_activity where application_name = '{0}')")]
    [InlineData("to_regclass('errortracker.mt_events') is not null")]
    [InlineData("to_regclass('errortracker.wolverine_nodes') is not null")]
    public async Task a_start_survives_a_postgresql_that_goes_away_meanwhile_or_ends_in_one_line(string moment)
    {
        await using var host = await BeginAsync();
        async Task<HostProcess> BeginAsync()
        {
            await using var cluster = await StartClusterAsync();
            var started = HostProcess.Begin(Settings);
            await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
            await using var look = source.CreateCommand("select " + string.Format(CultureInfo.InvariantCulture, moment, CounterTables.Current.NodeName));
            await Eventually.Async(async () => await look.ExecuteScalarAsync() is true, "it is the moment");
            return started;
        }

        await using var again = await StartClusterAsync();
        var ended = await host.EndedAsync() ? host.Output : null;
        if (ended is not null) Assert.Matches("(\\A|\n)PostgreSQL (does not answer|refuses): [^\n]+\\z", ended);
        await using var next = ended is null ? null : await HostProcess.StartAsync(Settings);
        await Eventually.Async(async () => (await (next ?? host).Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
        Assert.Equal(1, (await (next ?? host).RegisterAsync()).Id);
    }

    [Fact]
    public async Task two_first_nodes_at_once_make_one_schema_and_one_sequence_of_ids()
    {
        for (var round = 0; round < Rounds; round++)
        {
            var connectionString = await shared.Server.NewDatabaseAsync();
            var nodes = await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => TestApi.StartAsync(connectionString, ("ErrorTracker:SingleNode", "false")))));
            var senders = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => nodes[i % 2].RegisterAsync()));
            Assert.Equal(Enumerable.Range(1, 6), senders.Select(sender => sender.Id).Order());
            await Task.WhenAll(senders.Select((sender, i) => nodes[(i + 1) % 2].ReportAsync(sender)));
            await nodes[0].FoldedAsync();
            Assert.Equal(6, await nodes[1].CountedAsync());
            foreach (var node in nodes) await node.DisposeAsync();
        }
    }

    private Task<PrivateCluster> StartClusterAsync() => PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
}
