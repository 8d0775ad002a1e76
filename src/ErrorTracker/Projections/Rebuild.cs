using System.Data;
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
/// Folds the log anew into tables beside those that serve, then puts them in their place in one transaction. Nodes go
/// on folding and answering meanwhile. Each step is a transaction, so a rebuild that was cut off goes on where it was.
/// </summary>
internal sealed class Rebuild(Projection projection, NpgsqlDataSource database)
{
    private static readonly TimeSpan
        Pause = TimeSpan.FromMilliseconds(200),
        ShortestWait = TimeSpan.FromMilliseconds(200),
        LongestWait = TimeSpan.FromMilliseconds(1_500);

    private readonly ProjectionShard
        _serving = ProjectionShard.Of(projection),
        _beside = ProjectionShard.BesideOf(projection);

    /// <summary>Events of a part at most.</summary>
    public long PartSize { get; init; } = 500_000;

    /// <summary>Events that are folded in one transaction while it catches up.</summary>
    public long ChunkSize { get; init; } = ProjectionShard.Chunk;

    /// <param name="progress">Is told after each step how far it is; by one thread at a time.</param>
    /// <param name="stop">Cuts the rebuild off.</param>
    /// <returns>False if another rebuild of this projection runs.</returns>
    public async Task<bool> RunAsync(Action<RebuildProgress> progress, CancellationToken stop)
    {
        await using var guard = await database.OpenConnectionAsync(stop);
        if (!await guard.AskAsync<bool>($"select pg_try_advisory_lock({projection.RebuildLock})", stop)) return false;
        try
        {
            var from = await FillAsync(guard, progress, stop);
            await ReplaceAsync(guard, from, progress, stop);
            return true;
        }
        finally
        {
            // The pool would keep the session, and the lock. One that is broken has lost it already.
            var unlock = $"select pg_advisory_unlock({projection.RebuildLock})";
            if (guard.FullState == ConnectionState.Open) await guard.AskAsync<bool>(unlock, CancellationToken.None);
        }
    }

    /// <summary>
    /// Makes the tables beside, and fills them if there is a faster way than catching up. Tables that have their keys
    /// are made already.
    /// </summary>
    /// <returns>How far a former run had come.</returns>
    private async Task<long> FillAsync(
        NpgsqlConnection connection, Action<RebuildProgress> progress, CancellationToken stop)
    {
        var isMade = await connection.AskAsync<bool>($"select {_beside.Tables.HaveKeys}", stop);
        if (isMade) return await LogProgress.ReadAsync(connection, _beside.Row, stop);
        if (projection.Grouped is { } grouped)
            return await new RebuildParts(projection, grouped, _beside, database, PartSize).FillAsync(progress, stop);

        await using var transaction = await connection.BeginTransactionAsync(stop);
        await connection.ExecuteAsync(_beside.Tables.CreateSql(), stop);
        await connection.ExecuteAsync(
            $"""
            insert into {LogProgress.Table} (name, last_seq_id) values ('{_beside.Row}', 0)
            on conflict (name) do update set last_seq_id = 0
            """, stop);
        await transaction.CommitAsync(stop);
        return 0;
    }

    private async Task<long> CatchUpAsync(
        NpgsqlConnection connection, long from, Action<RebuildProgress> progress, CancellationToken stop)
    {
        for (var folded = await LogProgress.ReadAsync(connection, _beside.Row, stop); ;)
        {
            var mark = await LogProgress.ReadMarkAsync(connection, stop);
            progress(new("catching up", folded, from, mark));
            if (folded >= mark) return folded;
            var next = Math.Min(folded + ChunkSize, mark);
            if (!await _beside.FoldAsync(database, folded, next, stop))
                throw new InvalidOperationException("The progress of the rebuild was changed by another.");
            folded = next;
        }
    }

    /// <summary>
    /// Where a reader holds the tables for long this waits for it, and lets others read meanwhile: a lock that waits
    /// holds them up. It waits longer each time, as a vacuum gives way after a second only.
    /// </summary>
    private async Task ReplaceAsync(
        NpgsqlConnection connection, long from, Action<RebuildProgress> progress, CancellationToken stop)
    {
        for (var wait = ShortestWait; ; wait = wait < LongestWait ? wait * 1.5 : ShortestWait)
        {
            var folded = await CatchUpAsync(connection, from, progress, stop);
            if (await TryReplaceAsync(wait, stop)) return;
            progress(new("waiting for readers", folded, from, folded));
            await Task.Delay(Pause, stop);
        }
    }

    /// <summary>
    /// Takes the progress of the tables that serve first, as a fold does, so that neither waits for the other; then the
    /// tables, so that no statistic reads them. What they have and those beside do not is folded before they change
    /// places.
    /// </summary>
    private async Task<bool> TryReplaceAsync(TimeSpan wait, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await connection.ExecuteAsync(LogProgress.Take(_serving.Row), stop);
        var serving = await LogProgress.ReadAsync(connection, _serving.Row, stop);
        var beside = await LogProgress.ReadAsync(connection, _beside.Row, stop);
        if (serving > beside) await _beside.FoldAsync(connection, beside, serving, stop);
        if (!await TryDropAsync(connection, wait, stop)) return false;

        await RenameAsync(connection, stop);
        await connection.ExecuteAsync($"delete from {LogProgress.Table} where name = '{_beside.Row}'", stop);
        await connection.ExecuteAsync(
            $"""
            update {LogProgress.Table}
            set last_seq_id = {Math.Max(serving, beside)}, last_updated = transaction_timestamp(), pause_reason = null
            where name = '{_serving.Row}'
            """, stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    /// <summary>
    /// Drops the tables that serve, and locks those beside; false if somebody holds one for longer than this waits.
    /// </summary>
    private async Task<bool> TryDropAsync(NpgsqlConnection connection, TimeSpan wait, CancellationToken stop)
    {
        try
        {
            await connection.ExecuteAsync(
                $"""
                set local lock_timeout = '{wait.TotalMilliseconds:0}ms';
                drop table if exists {_serving.Tables.List};
                lock table {_beside.Tables.List}
                """, stop);
            return true;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
    }

    private async Task RenameAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        foreach (var (beside, serving) in _beside.Tables.Definitions.Zip(_serving.Tables.Definitions))
        {
            await connection.ExecuteAsync(
                $"""
                alter table {beside.Identifier} rename constraint {beside.PrimaryKeyName} to {serving.PrimaryKeyName};
                alter table {beside.Identifier} rename to {serving.Identifier.Name}
                """, stop);
        }
        foreach (var (beside, serving) in _beside.Tables.Indexes.Zip(_serving.Tables.Indexes))
            await connection.ExecuteAsync(
                $"alter index {LogSchema.Name}.{beside.Name} rename to {serving.Name}", stop);
    }
}
