using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// Counts the log anew into tables beside those that serve, chunk by chunk, then puts them in their place in one transaction. Nodes go on
/// folding and answering meanwhile. A rebuild that was cut off goes on where it was.
/// </summary>
internal sealed class Rebuild(NpgsqlDataSource database)
{
    private const long OneAtATime = 0x45525242;

    private static readonly CounterShard Live = CounterShard.Current, Beside = new(ReadProjections.RebuildRowOf(Live.Name), new CounterTables($"v{CounterTables.Version}_rebuild"));

    /// <param name="progress">Is told the events folded, those this run started from, and the high-water mark, after each chunk.</param>
    /// <param name="stop">Cuts the rebuild off.</param>
    /// <returns>False if another rebuild runs.</returns>
    public async Task<bool> RunAsync(Action<(long Folded, long From, long Mark)> progress, CancellationToken stop)
    {
        await using var guard = await database.OpenConnectionAsync(stop);
        if (!await AskAsync<bool>(guard, $"select pg_try_advisory_lock({OneAtATime})", stop)) return false;
        try
        {
            await FoldAsync(guard, progress, stop);
            await ReplaceAsync(stop);
            return true;
        }
        finally
        {
            await AskAsync<bool>(guard, $"select pg_advisory_unlock({OneAtATime})", CancellationToken.None); // the pool would keep the session, and the lock
        }
    }

    private async Task FoldAsync(NpgsqlConnection connection, Action<(long Folded, long From, long Mark)> progress, CancellationToken stop)
    {
        await Beside.RestoreAsync(database, stop);
        var from = await Beside.ReadProgressAsync(connection, stop);
        for (var folded = from; ;)
        {
            var mark = await AskAsync<long>(connection, $"select coalesce(max(last_seq_id), 0) from {CounterTables.Schema}.mt_event_progression where name = 'HighWaterMark'", stop);
            progress((folded, from, mark));
            if (folded >= mark) return;
            var next = Math.Min(folded + CounterShard.Chunk, mark);
            if (!await Beside.FoldAsync(database, folded, next, stop)) throw new InvalidOperationException("The progress of the rebuild was changed by another.");
            folded = next;
        }
    }

    private static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(stop))!;
    }

    /// <summary>
    /// Takes the live progress first, as a fold does, so that neither waits for the other; then the tables, so that no statistic reads them. What the
    /// live tables have and the new ones do not is folded before they change places.
    /// </summary>
    private async Task ReplaceAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await ExecuteAsync($"select 1 from {CounterTables.Schema}.mt_event_progression where name = '{Live.Name}' for update");
        var (live, beside) = (await Live.ReadProgressAsync(connection, stop), await Beside.ReadProgressAsync(connection, stop));
        if (live > beside) await Beside.FoldAsync(connection, beside, live, stop);

        await ExecuteAsync($"drop table {string.Join(", ", Live.Tables.Names)}");
        foreach (var (old, now) in Beside.Tables.Definitions.Zip(Live.Tables.Definitions))
        {
            await ExecuteAsync($"alter table {old.Identifier} rename constraint {old.PrimaryKeyName} to {now.PrimaryKeyName}");
            await ExecuteAsync($"alter table {old.Identifier} rename to {now.Identifier.Name}");
        }
        await ExecuteAsync($"delete from {CounterTables.Schema}.mt_event_progression where name = '{Beside.Name}'");
        await ExecuteAsync(
            $"""
            insert into {CounterTables.Schema}.mt_event_progression (name, last_seq_id) values ('{Live.Name}', {Math.Max(live, beside)})
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = transaction_timestamp()
            """);
        await transaction.CommitAsync(stop);

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
    }
}
