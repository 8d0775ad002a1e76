using System.Text.RegularExpressions;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using JasperFx.Events.Projections;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>Drops the tables and the progress of versions that no node runs.</summary>
internal sealed partial class Prune(NpgsqlDataSource database)
{
    /// <returns>The versions dropped.</returns>
    public async Task<List<uint>> RunAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var nodes = await ReadAsync<string>(connection, "select distinct application_name from pg_stat_activity where datname = current_database()", stop);
        var tables = await ReadAsync<string>(connection, $"select tablename from pg_tables where schemaname = '{LogSchema.Name}'", stop);
        var unused = tables.Select(table => (Name: table, Version: OfVersion().Match(table))).Where(table => table.Version.Success)
            .GroupBy(table => uint.Parse(table.Version.Groups[1].Value), table => table.Name)
            .Where(version => version.Key != CounterTables.Version && !nodes.Contains(new CounterTables($"v{version.Key}").NodeName)).OrderBy(version => version.Key).ToList();
        foreach (var version in unused)
        {
            var shard = ShardName.Compose("Counters", version: version.Key).Identity;
            await using var command = new NpgsqlCommand(
                $"drop table {string.Join(", ", version.Select(table => $"{LogSchema.Name}.{table}"))}; delete from {CounterShard.Progress} where name in ('{shard}', '{ReadProjections.RebuildRowOf(shard)}')", connection);
            await command.ExecuteNonQueryAsync(stop);
        }
        return [.. unused.Select(version => version.Key)];
    }

    /// <summary>The tables of a version, those of a rebuild of it and its parts among them.</summary>
    [GeneratedRegex(@"^(?:level_counts|message_counts|message_texts|open_minutes|open_buckets|counter_part)_v(\d{1,9})(?:_|$)")]
    private static partial Regex OfVersion();

    private static async Task<List<T>> ReadAsync<T>(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<T>();
        while (await reader.ReadAsync(stop)) found.Add(reader.GetFieldValue<T>(0));
        return found;
    }
}
