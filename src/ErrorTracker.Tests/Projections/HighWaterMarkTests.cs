using ErrorTracker.Postgres;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Tests.Projections;

/// <summary>Gaps in the sequence, and which transactions the fold has to wait for.</summary>
[Collection(nameof(OnPostgres))]
public sealed class HighWaterMarkTests(SharedApi shared)
{
    private const string Draw = "select nextval('errortracker.mt_events_sequence') from generate_series(1, 5)";

    [Fact]
    public async Task a_gap_is_passed_although_a_transaction_that_has_nothing_to_do_with_it_runs_on()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await using var connection = await api.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await ExecuteAsync(connection, "create temporary table written (n int) on commit drop"); // as verify does
        await using var other = await api.Database.OpenConnectionAsync();
        await ExecuteAsync(other, Draw);
        await api.ReportAsync(sender);
        await api.FoldedAsync();
    }

    [Fact]
    public async Task a_transaction_that_has_drawn_a_number_is_waited_for_and_named()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await using var connection = await api.Database.OpenConnectionAsync();
        await using (await connection.BeginTransactionAsync())
        {
            await ExecuteAsync(connection, Draw);
            await api.ReportAsync(sender);
            var mark = new HighWaterMark(api.Database);
            Assert.False(await mark.AdvanceAsync(TimeSpan.FromMilliseconds(100), CancellationToken.None));
            await Eventually.Async(async () =>
            {
                var status = (await api.GetAsync("/projections"))[0];
                return status.GetProperty("state").GetString() == "waiting"
                    && status.GetProperty("error").GetString()!.Contains($"process {connection.ProcessID}");
            }, "the status says which transaction is waited for");
        }
        await api.FoldedAsync();
        Assert.Equal("caught up", (await api.GetAsync("/projections"))[0].GetProperty("state").GetString());
    }

    /// <summary>
    /// A transaction that is prepared outlives its session. PostgreSQL takes none unless it is set up for them, which
    /// needs a restart: so this server is not that of the other tests.
    /// </summary>
    [Fact]
    public async Task a_prepared_transaction_that_has_drawn_a_number_is_named()
    {
        var folder = Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);
        try
        {
            await (await PrivateCluster.StartAsync(folder, binaries: null, CancellationToken.None)).DisposeAsync();
            var configuration = Path.Combine(folder, "data", "postgresql.conf");
            await File.AppendAllTextAsync(configuration, "max_prepared_transactions = 2\n");
            await using var cluster = await PrivateCluster.StartAsync(folder, binaries: null, CancellationToken.None);
            await using var api = await TestApi.StartAsync(cluster.ConnectionString);
            var sender = await api.RegisterAsync();
            await using var connection = await api.Database.OpenConnectionAsync();
            foreach (var sql in new[] { "begin", Draw, "prepare transaction 'forgotten'" })
                await ExecuteAsync(connection, sql);
            await api.ReportAsync(sender);
            await Eventually.Async(async () =>
            {
                var status = (await api.GetAsync("/projections"))[0];
                return status.GetProperty("state").GetString() == "waiting"
                    && status.GetProperty("error").GetString()!.Contains("prepared as \"forgotten\"")
                    && status.GetProperty("oldest_snapshot").GetDouble() > 0;
            }, "the status says which transaction is waited for");
            await ExecuteAsync(connection, "rollback prepared 'forgotten'");
            await api.FoldedAsync();
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public async Task the_age_of_the_oldest_snapshot_is_shown()
    {
        await using var connection = await shared.Api.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await ExecuteAsync(connection, "select 1");
        await Eventually.Async(async () =>
        {
            var status = (await shared.Api.GetAsync("/projections"))[0];
            return status.GetProperty("oldest_snapshot").GetDouble() > 0.1;
        }, "it is that old");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
