using ErrorTracker.Counters;
using ErrorTracker.Intake;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>How far a rebuild is.</summary>
/// <param name="Phase">What it does.</param>
/// <param name="Folded">Events of the log that are folded.</param>
/// <param name="From">Those this run started from.</param>
/// <param name="Mark">The high-water mark.</param>
internal sealed record RebuildProgress(string Phase, long Folded, long From, long Mark);

/// <summary>
/// Counts the log anew into tables beside those that serve, then puts them in their place in one transaction. Nodes go on folding and answering
/// meanwhile. Each step is a transaction, so a rebuild that was cut off goes on where it was.
/// </summary>
/// <remarks>
/// Ranges of the log are grouped into parts, several at once; then the parts are added up and written in the order of their keys, before the keys
/// exist: several times as fast as folding range by range into tables that have them.
/// </remarks>
internal sealed class Rebuild(NpgsqlDataSource database)
{
    /// <summary>The advisory lock that whoever rebuilds holds.</summary>
    public const long OneAtATime = 0x45525242;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(200), LongestPatience = TimeSpan.FromMilliseconds(1_500);

    private const int AtOnce = 2;

    /// <summary>So many events at least are counted faster by a rebuild than by folding them chunk by chunk.</summary>
    public const long Worthwhile = 500_000;

    private const string Room = "select set_config('work_mem', '128MB', true), set_config('maintenance_work_mem', '256MB', true), set_config('max_parallel_workers_per_gather', '0', true), set_config('jit', 'off', true)";

    /// <summary>What the names of the parts start with; their range follows.</summary>
    private static readonly string PartPrefix = $"counter_part_v{CounterTables.Version}_";

    private static readonly CounterShard Live = CounterShard.Current, Beside = new(ReadProjections.RebuildRowOf(Live.Name), new CounterTables($"v{CounterTables.Version}_rebuild"));

    /// <summary>Events of a part at most.</summary>
    public long PartSize { get; init; } = 500_000;

    /// <param name="progress">Is told after each step how far it is; by one thread at a time.</param>
    /// <param name="stop">Cuts the rebuild off.</param>
    /// <returns>False if another rebuild runs.</returns>
    public async Task<bool> RunAsync(Action<RebuildProgress> progress, CancellationToken stop)
    {
        await using var guard = await database.OpenConnectionAsync(stop);
        if (!await AskAsync<bool>(guard, $"select pg_try_advisory_lock({OneAtATime})", stop)) return false;
        try
        {
            var from = await CountAsync(guard, progress, stop);
            await ReplaceAsync(guard, from, progress, stop);
            return true;
        }
        finally
        {
            // The pool would keep the session, and the lock. One that is broken has lost it already.
            if (guard.FullState == System.Data.ConnectionState.Open) await AskAsync<bool>(guard, $"select pg_advisory_unlock({OneAtATime})", CancellationToken.None);
        }
    }

    /// <summary>Groups the log up to the high-water mark into parts and writes the tables from them. Answers how far a former run had come.</summary>
    private async Task<long> CountAsync(NpgsqlConnection connection, Action<RebuildProgress> progress, CancellationToken stop)
    {
        var keys = Beside.Tables.Definitions.Select(table => $"'{LogSchema.Name}.{table.PrimaryKeyName}'");
        var isWritten = await AskAsync<bool>(connection, $"select bool_and(to_regclass(name) is not null) from unnest(array[{string.Join(", ", keys)}]) as name", stop);
        if (isWritten) return await Beside.ReadProgressAsync(connection, stop);

        var mark = await MarkAsync(connection, stop);
        var parts = await PartsAsync(connection, stop);
        var from = parts.Sum(part => part.Ceiling - part.Floor);
        var folded = from;
        progress(new("reading the log", folded, from, mark));
        await Parallel.ForEachAsync(Missing(parts, mark), new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = stop }, async (part, cut) =>
        {
            await ExecuteAsync(
            [
                Room,
                $"create table {NameOf(part)} as {CounterFold.Minutes($"{part.Floor}", $"{part.Ceiling}")}",
                $"""
                insert into {CounterShard.Progress} as kept (name, last_seq_id) values ('{Beside.Name}', {from + part.Ceiling - part.Floor})
                on conflict (name) do update set last_seq_id = kept.last_seq_id + {part.Ceiling - part.Floor}, last_updated = transaction_timestamp()
                """,
            ], cut);
            lock (parts)
            {
                parts.Add(part);
                progress(new("reading the log", folded += part.Ceiling - part.Floor, from, mark));
            }
        });
        progress(new("writing the counters", folded, from, mark));
        await WriteAsync(parts, mark, stop);
        return from;
    }

    /// <summary>The ranges up to the mark that no part covers yet.</summary>
    private IEnumerable<(long Floor, long Ceiling)> Missing(IEnumerable<(long Floor, long Ceiling)> parts, long mark)
    {
        var floor = 0L;
        foreach (var next in parts.Append((Floor: mark, Ceiling: mark)).OrderBy(part => part.Floor).ToList())
        {
            for (; floor < next.Floor; floor = Math.Min(floor + PartSize, next.Floor)) yield return (floor, Math.Min(floor + PartSize, next.Floor));
            floor = next.Ceiling;
        }
    }

    /// <summary>The keys come last, and with them the progress: without them the tables are not written yet.</summary>
    private async Task WriteAsync(List<(long Floor, long Ceiling)> parts, long mark, CancellationToken stop)
    {
        var minutes = parts.Count > 0 ? CounterFold.Sum(parts.Select(NameOf)) : CounterFold.Minutes("0", "0");
        await ExecuteAsync(
        [
            Beside.Tables.CreateSql(),
            .. Beside.Tables.Definitions.Select(table => $"alter table {table.Identifier} drop constraint {table.PrimaryKeyName}"),
        ], stop);
        await Task.WhenAll(CounterFold.IntoEmpty(Beside.Tables, minutes).Select(fill => ExecuteAsync([Room, fill], stop)));
        await ExecuteAsync(
        [
            Room,
            .. Beside.Tables.Definitions.Select(table => $"alter table {table.Identifier} add constraint {table.PrimaryKeyName} primary key ({string.Join(", ", table.PrimaryKeyColumns)})"),
            .. Beside.Tables.Names.Select(table => $"analyze {table}"),
            .. parts.Select(part => $"drop table {NameOf(part)}"),
            $"""
            insert into {CounterShard.Progress} (name, last_seq_id) values ('{Beside.Name}', {Math.Max(mark, parts.Select(part => part.Ceiling).DefaultIfEmpty().Max())})
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()
            """,
        ], stop);
    }

    private async Task<long> CatchUpAsync(NpgsqlConnection connection, long from, Action<RebuildProgress> progress, CancellationToken stop)
    {
        for (var folded = await Beside.ReadProgressAsync(connection, stop); ;)
        {
            var mark = await MarkAsync(connection, stop);
            progress(new("catching up", folded, from, mark));
            if (folded >= mark) return folded;
            var next = Math.Min(folded + CounterShard.Chunk, mark);
            if (!await Beside.FoldAsync(database, folded, next, stop)) throw new InvalidOperationException("The progress of the rebuild was changed by another.");
            folded = next;
        }
    }

    /// <summary>
    /// Where a reader holds the tables for long this waits for it, and lets others read meanwhile: a lock that waits holds them up. It waits longer each
    /// time, as a vacuum gives way after a second only.
    /// </summary>
    private async Task ReplaceAsync(NpgsqlConnection connection, long from, Action<RebuildProgress> progress, CancellationToken stop)
    {
        for (var patience = Patience; ; patience = patience < LongestPatience ? patience * 1.5 : Patience)
        {
            var mark = await CatchUpAsync(connection, from, progress, stop);
            if (await TryReplaceAsync(patience, stop)) return;
            progress(new("waiting for readers", mark, from, mark));
            await Task.Delay(Patience, stop);
        }
    }

    /// <summary>
    /// Takes the live progress first, as a fold does, so that neither waits for the other; then the tables, so that no statistic reads them. What the
    /// live tables have and the new ones do not is folded before they change places.
    /// </summary>
    private async Task<bool> TryReplaceAsync(TimeSpan patience, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await ExecuteAsync(connection, $"insert into {CounterShard.Progress} (name, last_seq_id) values ('{Live.Name}', 0) on conflict (name) do update set name = excluded.name", stop);
        var (live, beside) = (await Live.ReadProgressAsync(connection, stop), await Beside.ReadProgressAsync(connection, stop));
        if (live > beside) await Beside.FoldAsync(connection, beside, live, stop);
        try
        {
            await ExecuteAsync(connection, $"set local lock_timeout = '{patience.TotalMilliseconds:0}ms'; drop table if exists {string.Join(", ", Live.Tables.Names)}; lock table {string.Join(", ", Beside.Tables.Names)}", stop);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
        foreach (var (old, now) in Beside.Tables.Definitions.Zip(Live.Tables.Definitions))
        {
            await ExecuteAsync(connection, $"alter table {old.Identifier} rename constraint {old.PrimaryKeyName} to {now.PrimaryKeyName}", stop);
            await ExecuteAsync(connection, $"alter table {old.Identifier} rename to {now.Identifier.Name}", stop);
        }
        await ExecuteAsync(connection, $"delete from {CounterShard.Progress} where name = '{Beside.Name}'", stop);
        await ExecuteAsync(connection, $"update {CounterShard.Progress} set last_seq_id = {Math.Max(live, beside)}, last_updated = transaction_timestamp(), pause_reason = null where name = '{Live.Name}'", stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    private static string NameOf((long Floor, long Ceiling) part) => $"{LogSchema.Name}.{PartPrefix}{part.Floor}_{part.Ceiling}";

    private static async Task<List<(long Floor, long Ceiling)>> PartsAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand($"select tablename from pg_tables where schemaname = '{LogSchema.Name}' and starts_with(tablename, '{PartPrefix}')", connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var parts = new List<(long, long)>();
        while (await reader.ReadAsync(stop))
        {
            var range = reader.GetString(0)[PartPrefix.Length..].Split('_');
            parts.Add((long.Parse(range[0]), long.Parse(range[1])));
        }
        return parts;
    }

    private static Task<long> MarkAsync(NpgsqlConnection connection, CancellationToken stop) =>
        AskAsync<long>(connection, $"select coalesce(max(last_seq_id), 0) from {CounterShard.Progress} where name = 'HighWaterMark'", stop);

    private static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(stop))!;
    }

    /// <summary>One transaction.</summary>
    private async Task ExecuteAsync(string[] statements, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        foreach (var sql in statements) await ExecuteAsync(connection, sql, stop);
        await transaction.CommitAsync(stop);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(stop);
    }
}
