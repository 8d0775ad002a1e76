using System.Globalization;
using System.Text.RegularExpressions;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>Drops the tables and the progress of versions of the registered projections that no node runs.</summary>
internal sealed class Prune(RegisteredProjections projections, NpgsqlDataSource database)
{
    private sealed record Unused(Projection Projection, uint Version, List<string> Tables)
    {
        public string Label => RegisteredProjections.LabelOf(Projection.Name, Version);
    }

    /// <returns>The versions dropped, as <c>counters v4</c>.</returns>
    public async Task<List<string>> RunAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var running = await RunningAsync(connection, stop);
        var tables = await connection.ListAsync<string>(
            $"select t.tablename from pg_tables as t where t.schemaname = '{LogSchema.Name}'", stop);
        var dropped = new List<string>();
        foreach (var version in projections.All.SelectMany(projection => OtherVersions(projection, tables)))
        {
            if (running.Contains(version.Label)) continue;
            await DropAsync(connection, version, stop);
            dropped.Add(version.Label);
        }
        return dropped;
    }

    /// <summary>
    /// Nodes tell what they run by the name of their connections: <c>ErrorTracker, counters v4, issues v1</c>.
    /// </summary>
    private static async Task<HashSet<string>> RunningAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        var names = await connection.ListAsync<string>(
            "select distinct a.application_name from pg_stat_activity as a where a.datname = current_database()", stop);
        var nodes = names.Where(name => name.StartsWith(RegisteredProjections.NodePrefix, StringComparison.Ordinal));
        return [.. nodes.SelectMany(name => name[RegisteredProjections.NodePrefix.Length..].Split(", "))];
    }

    /// <summary>By the names of the tables, those of rebuilds and their parts among them; in ascending order.</summary>
    private static IEnumerable<Unused> OtherVersions(Projection projection, List<string> tables)
    {
        var names = projection.Tables.Select(table => table.Name).ToList();
        if (projection.Grouped is { } grouped) names.Add(grouped.PartName);
        var pattern = new Regex($"^(?:{string.Join('|', names.Select(Regex.Escape))})_v([0-9]{{1,9}})(?:_|$)");
        return
            from table in tables
            let match = pattern.Match(table)
            where match.Success
            group table by uint.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture) into version
            where version.Key != projection.Version
            orderby version.Key
            select new Unused(projection, version.Key, [.. version]);
    }

    private static Task DropAsync(NpgsqlConnection connection, Unused version, CancellationToken stop)
    {
        var row = version.Projection.RowOf(version.Version);
        return connection.ExecuteAsync(
            $"""
            drop table {string.Join(", ", version.Tables.Select(table => $"{LogSchema.Name}.{table}"))};
            delete from {LogProgress.Table} where name in ('{row}', '{ProjectionShard.RebuildRowOf(row)}')
            """, stop);
    }
}
