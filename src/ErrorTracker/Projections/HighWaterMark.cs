using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Marten's high-water mark: no event of the log at or below it is still being written. A sequence number that is
/// missing may belong to a transaction that failed, or to one that has not committed yet. Who has drawn a number holds
/// a lock on the sequence until its transaction ends, so the transactions that matter are known exactly: any other one,
/// however long it takes, does not keep the mark back, as it does in Marten's own search.
/// </summary>
internal sealed class HighWaterMark(NpgsqlDataSource database)
{
    private const string Sequence = $"{LogSchema.Name}.mt_events_sequence";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Rows of pg_locks, called l, of transactions that have drawn a number.</summary>
    private const string IsDrawer =
        $"""
        l.locktype = 'relation' and l.relation = '{Sequence}'::regclass and l.mode = 'RowExclusiveLock'
        and l.database = (select d.oid from pg_database as d where d.datname = current_database())
        """;

    /// <summary>
    /// Why the mark stands still, as SQL: the oldest transaction that may still write events; null if there is none.
    /// One that is prepared (two-phase commit) belongs to no process; it is known by the lock on its own id.
    /// </summary>
    public const string Blocker =
        $"""
        (select format('A transaction that began %s ago may still write events: %s.',
            date_trunc('second', clock_timestamp() - drawer.began), drawer.who)
          from (
            select a.xact_start as began,
              format('process %s, application "%s", %s', a.pid, a.application_name, a.state) as who
            from pg_locks as l join pg_stat_activity as a on a.pid = l.pid where {IsDrawer}
            union all
            select p.prepared, format('prepared as "%s", which waits for COMMIT PREPARED or ROLLBACK PREPARED', p.gid)
            from pg_locks as l
            join pg_locks as own on own.virtualtransaction = l.virtualtransaction and own.locktype = 'transactionid'
            join pg_prepared_xacts as p on p.transaction = own.transactionid
            where {IsDrawer} and l.pid is null) as drawer
          where drawer.began < clock_timestamp() - interval '2 seconds' order by drawer.began limit 1)
        """;

    /// <summary>
    /// Moves the mark over all numbers drawn until now, once the transactions that have drawn one have ended.
    /// </summary>
    /// <param name="timeout">So long these are waited for.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>False if one of them still runs: the mark has not been moved.</returns>
    public async Task<bool> AdvanceAsync(TimeSpan timeout, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        // First the numbers: who has drawn one of them is then among the drawers.
        var drawn = await connection.AskAsync<long>($"select {LogProgress.Drawn}", stop);
        var drawers = await DrawersAsync(connection, stop);
        for (var waited = TimeSpan.Zero; drawers.Count > 0; waited += Pause)
        {
            if (waited >= timeout) return false;
            await Task.Delay(Pause, stop);
            drawers.IntersectWith(await DrawersAsync(connection, stop));
        }
        await RecordAsync(connection, drawn, stop);
        return true;
    }

    /// <summary>Transactions by the identity that PostgreSQL gives each while it runs.</summary>
    private static async Task<HashSet<string>> DrawersAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        var drawers = await connection.ListAsync<string>(
            $"select l.virtualtransaction from pg_locks as l where {IsDrawer}", stop);
        return [.. drawers];
    }

    private static Task RecordAsync(NpgsqlConnection connection, long mark, CancellationToken stop) =>
        connection.ExecuteAsync(
            $"""
            insert into {LogProgress.Table} as kept (name, last_seq_id, last_updated)
            values ('{LogProgress.MarkRow}', {mark}, transaction_timestamp())
            on conflict (name) do update set last_seq_id = excluded.last_seq_id, last_updated = excluded.last_updated
            where kept.last_seq_id < excluded.last_seq_id
            """, stop);
}
