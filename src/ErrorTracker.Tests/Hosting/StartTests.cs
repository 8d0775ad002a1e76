using System.Globalization;
using ErrorTracker.Counters;
using ErrorTracker.Postgres;
using Npgsql;

namespace ErrorTracker.Tests.Hosting;

/// <summary>Hosts whose PostgreSQL is another's, and is not there when they start or goes away while they do.</summary>
public sealed class StartTests : IDisposable
{
    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public void Dispose()
    {
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }

    private (string, string) Settings =>
    (
        "ConnectionStrings__ErrorTracker",
        $"Host={_folder}/socket;Username=errortracker;Database=postgres;Pooling=false"
    );

    [Fact]
    public async Task a_postgresql_that_comes_later_is_waited_for()
    {
        await using var host = HostProcess.Begin(Settings);
        await Eventually.Async(
            () => Task.FromResult(host.Output.Contains("PostgreSQL does not answer, and is waited for")),
            "the host waits");
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
            var isNow = string.Format(CultureInfo.InvariantCulture, moment, $"ErrorTracker, counters v{CounterTables.Version}");
            await using var look = source.CreateCommand("select " + isNow);
            await Eventually.Async(async () => await look.ExecuteScalarAsync() is true, "it is the moment");
            return started;
        }

        await using var again = await StartClusterAsync();
        var ended = await host.EndedAsync() ? host.Output : null;
        if (ended is not null) Assert.Matches("(\\A|\n)PostgreSQL (does not answer|refuses): [^\n]+\\z", ended);
        await using var next = ended is null ? null : await HostProcess.StartAsync(Settings);
        var last = next ?? host;
        await Eventually.Async(
            async () => (await last.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
        Assert.Equal(1, (await last.RegisterAsync()).Id);
    }

    private Task<PrivateCluster> StartClusterAsync() =>
        PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
}
