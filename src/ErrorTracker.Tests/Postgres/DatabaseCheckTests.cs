using ErrorTracker.Configuration;
using ErrorTracker.Postgres;
using Npgsql;

namespace ErrorTracker.Tests.Postgres;

[Collection(nameof(OnPostgres))]
public sealed class DatabaseCheckTests(SharedApi shared)
{
    [Fact]
    public async Task a_database_that_cannot_hold_all_text_is_refused_by_name_of_its_encoding()
    {
        var name = "latin_" + Guid.NewGuid().ToString("N")[..8];
        await using (var create = shared.Api.Database.CreateCommand(
            $"create database {name} encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"))
            await create.ExecuteNonQueryAsync();
        var settings = new NpgsqlConnectionStringBuilder(shared.Api.Database.ConnectionString) { Database = name };
        await using var database = NpgsqlDataSource.Create(settings);
        var refusal = await Assert.ThrowsAsync<StartupException>(() => DatabaseCheck.RequireAsync(database, default));
        Assert.Contains("LATIN1", refusal.Message);
    }

    [Fact]
    public async Task postgres_itself_is_taken() => await DatabaseCheck.RequireAsync(shared.Api.Database, default);
}
