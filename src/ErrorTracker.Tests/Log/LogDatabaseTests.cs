using Npgsql;

namespace ErrorTracker.Tests.Log;

[Collection(nameof(OnPostgres))]
public sealed class LogDatabaseTests(SharedApi shared)
{
    /// <summary>What folds and rebuilds takes longer than an operator lets a statement take.</summary>
    [Fact]
    public async Task limits_that_the_database_sets_do_not_end_what_takes_long()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        var name = new NpgsqlConnectionStringBuilder(connectionString).Database;
        foreach (var limit in new[] { "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout" })
        {
            await using var set = shared.Api.Database.CreateCommand($"alter database {name} set {limit} = '2s'");
            await set.ExecuteNonQueryAsync();
        }
        await using var api = await TestApi.StartAsync(connectionString);
        Assert.Equal("0", await api.ScalarAsync<string>("show statement_timeout"));
        Assert.Equal("0", await api.ScalarAsync<string>("show lock_timeout"));
        Assert.Equal("0", await api.ScalarAsync<string>("show idle_in_transaction_session_timeout"));
    }
}
