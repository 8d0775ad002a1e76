using ErrorTracker.Counters;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Tests.Projections;

[Collection(nameof(OnPostgres))]
public sealed class PruneTests(SharedApi shared)
{
    private static readonly int Tables = CounterTables.Current.All.Length;

    /// <summary>Nodes of former versions name the counters alone.</summary>
    [Theory]
    [InlineData("ErrorTracker, counters v8")]
    [InlineData("ErrorTracker, counters v8, issues v1")]
    [InlineData("ErrorTracker, issues v7, counters v8")]
    public async Task versions_that_no_node_runs_are_dropped_and_others_are_kept(string node)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        foreach (var version in new[] { 7, 8 })
            foreach (var table in new CounterTables(new TableNames($"v{version}")).All)
            {
                await using var create = api.Database.CreateCommand($"create table {table} (n int)");
                await create.ExecuteNonQueryAsync();
            }
        var settings = new NpgsqlConnectionStringBuilder(api.Database.ConnectionString) { ApplicationName = node };
        await using var database = NpgsqlDataSource.Create(settings.ConnectionString);
        await using var connection = await database.OpenConnectionAsync();

        var prune = new Prune(new RegisteredProjections([CountersProjection.Definition]), api.Database);
        Assert.Equal(["counters v7"], await prune.RunAsync(CancellationToken.None));
        Assert.Equal(0, await CountAsync(api, 7));
        Assert.Equal(Tables, await CountAsync(api, 8));
        Assert.Equal(Tables, await CountAsync(api, 5));
    }

    private static Task<long> CountAsync(TestApi api, int version) => api.ScalarAsync<long>(
        $"select count(*) from pg_tables where schemaname = 'errortracker' and tablename like '%\\_v{version}'");
}
