using System.Globalization;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// The first phase of a rebuild of a projection that has a <see cref="GroupedFill"/>: ranges of the log are grouped
/// into parts, each a table, and the tables beside are written from these. A run that is cut off leaves its parts to
/// the next.
/// </summary>
internal sealed class RebuildParts(
    Projection projection, GroupedFill grouped, ProjectionShard beside, NpgsqlDataSource database, long partSize)
{
    private const int AtOnce = 2;

    private const string Settings =
        """
        select set_config('work_mem', '128MB', true),
          set_config('maintenance_work_mem', '256MB', true),
          set_config('max_parallel_workers_per_gather', '0', true),
          set_config('jit', 'off', true)
        """;

    /// <summary>What the names of the parts start with; their range follows.</summary>
    private readonly string _prefix = $"{grouped.PartName}_{projection.Suffix}_";

    /// <summary>Groups the log up to the high-water mark, and writes the tables from the parts.</summary>
    /// <returns>How many events a former run had grouped.</returns>
    public async Task<long> FillAsync(Action<RebuildProgress> progress, CancellationToken stop)
    {
        var (parts, mark) = await ReadAsync(stop);
        var from = parts.Sum(part => part.Events);
        var folded = from;
        progress(new("reading the log", folded, from, mark));
        var options = new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop };
        await Parallel.ForEachAsync(Missing(parts, mark), options, async (part, cut) =>
        {
            await GroupAsync(part, from, cut);
            lock (parts)
            {
                parts.Add(part);
                folded += part.Events;
                progress(new("reading the log", folded, from, mark));
            }
        });
        progress(new("writing the tables", folded, from, mark));
        await WriteAsync(parts, mark, stop);
        return from;
    }

    private sealed record Part(long Floor, long Ceiling)
    {
        public long Events => Ceiling - Floor;
    }

    private async Task<(List<Part> Parts, long Mark)> ReadAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var mark = await LogProgress.ReadMarkAsync(connection, stop);
        var names = await connection.ListAsync<string>(
            $"""
            select t.tablename from pg_tables as t
            where t.schemaname = '{LogSchema.Name}' and starts_with(t.tablename, '{_prefix}')
            """, stop);
        var ranges = names.Select(name => name[_prefix.Length..].Split('_').Select(Position).ToList());
        return ([.. ranges.Select(range => new Part(range[0], range[1]))], mark);

        static long Position(string text) => long.Parse(text, CultureInfo.InvariantCulture);
    }

    /// <summary>The ranges up to the mark that no part covers yet.</summary>
    private List<Part> Missing(IEnumerable<Part> parts, long mark)
    {
        var missing = new List<Part>();
        var floor = 0L;
        foreach (var next in parts.Append(new Part(mark, mark)).OrderBy(part => part.Floor))
        {
            while (floor < next.Floor)
            {
                var part = new Part(floor, Math.Min(floor + partSize, next.Floor));
                missing.Add(part);
                floor = part.Ceiling;
            }
            floor = next.Ceiling;
        }
        return missing;
    }

    /// <param name="part">The range.</param>
    /// <param name="from">What a former run had grouped, if its row of the progress was lost.</param>
    /// <param name="stop">Cuts it off.</param>
    private async Task GroupAsync(Part part, long from, CancellationToken stop)
    {
        var names = NamesOf(part);
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await connection.ExecuteAsync(Settings, stop);
        if (grouped.Beside.Length > 0)
            await connection.ExecuteAsync(new TableSet(projection, names.Suffix).CreateSql(grouped.Beside), stop);
        if (projection.Before is { } before) await before(connection, names, part.Floor, part.Ceiling, stop);
        foreach (var table in grouped.Beside) await connection.ExecuteAsync($"analyze {names[table]}", stop);
        var range = new LogRange($"{part.Floor}", $"{part.Ceiling}");
        await connection.ExecuteAsync($"create table {NameOf(part)} as {grouped.Group(names, range)}", stop);
        await connection.ExecuteAsync(
            $"""
            insert into {LogProgress.Table} as kept (name, last_seq_id) values ('{beside.Row}', {from + part.Events})
            on conflict (name) do update
            set last_seq_id = kept.last_seq_id + {part.Events}, last_updated = transaction_timestamp()
            """, stop);
        await transaction.CommitAsync(stop);
    }

    /// <summary>The keys come last, and with them the progress: without them the tables are not made yet.</summary>
    private async Task WriteAsync(List<Part> parts, long mark, CancellationToken stop)
    {
        var tables = beside.Tables;
        var folded = Math.Max(mark, parts.Select(part => part.Ceiling).DefaultIfEmpty().Max());
        await ExecuteAsync([tables.CreateSql(), .. tables.DropKeys], stop);
        string[] copies = [.. parts.SelectMany(part => grouped.Beside.Select(table =>
            $"insert into {tables.Names[table]} table {NamesOf(part)[table]}"))];
        await ExecuteAsync([Settings, .. copies], stop);
        foreach (var stage in grouped.Write(tables.Names, [.. parts.Select(NameOf)]))
            await Task.WhenAll(stage.Select(write => ExecuteAsync([Settings, write], stop)));
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        string[] finish = [Settings, .. tables.AddKeys, .. tables.All.Select(table => $"analyze {table}")];
        foreach (var sql in finish) await connection.ExecuteAsync(sql, stop);
        if (projection.After is { } after) await after(connection, tables.Names, stop);
        foreach (var part in parts)
            foreach (var table in grouped.Beside.Prepend(grouped.PartName))
                await connection.ExecuteAsync($"drop table {NamesOf(part)[table]}", stop);
        await connection.ExecuteAsync(
            $"""
            insert into {LogProgress.Table} (name, last_seq_id) values ('{beside.Row}', {folded})
            on conflict (name) do update
            set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()
            """, stop);
        await transaction.CommitAsync(stop);
    }

    private string NameOf(Part part) => NamesOf(part)[grouped.PartName];

    private TableNames NamesOf(Part part) => new($"{projection.Suffix}_{part.Floor}_{part.Ceiling}");

    /// <summary>One transaction.</summary>
    private async Task ExecuteAsync(string[] statements, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        foreach (var sql in statements) await connection.ExecuteAsync(sql, stop);
        await transaction.CommitAsync(stop);
    }
}
