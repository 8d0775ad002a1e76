using JasperFx.Events.Projections;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>Drops the tables and the progress of versions that no node runs.</summary>
internal sealed class Prune(NpgsqlDataSource database)
{
    /// <summary>A node that has not been heard of for longer is gone.</summary>
    private const string Alive = "interval '1 minute'";

    /// <returns>The versions dropped.</returns>
    public async Task<List<uint>> RunAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var kept = await ReadAsync<string>(connection, $"select distinct unnest(capabilities) from {CounterTables.Schema}.wolverine_nodes where health_check > now() - {Alive}", stop);
        var stored = await ReadAsync<string>(connection, $"select substring(tablename from '^level_counts_v(\\d+)$') from pg_tables where schemaname = '{CounterTables.Schema}' and tablename ~ '^level_counts_v\\d+$'", stop);
        var dropped = stored.Select(uint.Parse).Where(version => version != CounterTables.Version && !kept.Any(agent => Runs(agent, version))).Order().ToList();
        foreach (var version in dropped)
        {
            await using var command = new NpgsqlCommand(
                $"drop table if exists {string.Join(", ", new CounterTables($"v{version}").Names)}; delete from {CounterTables.Schema}.mt_event_progression where name = '{Shard(version).Identity}'", connection);
            await command.ExecuteNonQueryAsync(stop);
        }
        return dropped;
    }

    private static ShardName Shard(uint version) => ShardName.Compose("Counters", version: version);

    private static bool Runs(string agent, uint version) => agent.EndsWith("/" + Shard(version).RelativeUrl, StringComparison.OrdinalIgnoreCase);

    private static async Task<List<T>> ReadAsync<T>(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<T>();
        while (await reader.ReadAsync(stop)) found.Add(reader.GetFieldValue<T>(0));
        return found;
    }
}
