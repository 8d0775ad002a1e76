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
            var parts = await ReadAsync<string>(connection, $"select tablename from pg_tables where schemaname = '{CounterTables.Schema}' and starts_with(tablename, '{Rebuild.PartPrefixOf($"v{version}")}')", stop);
            string[] tables = [.. new CounterTables($"v{version}").Names, .. new CounterTables($"v{version}_rebuild").Names, .. parts.Select(part => $"{CounterTables.Schema}.{part}")];
            var shard = Shard(version).Identity;
            await using var command = new NpgsqlCommand(
                $"drop table if exists {string.Join(", ", tables)}; delete from {CounterTables.Schema}.mt_event_progression where name in ('{shard}', '{ReadProjections.RebuildRowOf(shard)}')", connection);
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
