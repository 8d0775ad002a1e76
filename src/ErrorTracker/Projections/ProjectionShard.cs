using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// A projection at work: its definition, a set of tables, and the row of the progress that says how far the log is
/// folded into them. There is one that serves, and during a rebuild another one beside it.
/// </summary>
internal sealed class ProjectionShard
{
    /// <summary>
    /// Events folded in one transaction: large enough to be fast, small enough to show progress and to lose little to a
    /// kill.
    /// </summary>
    public const long Chunk = 100_000;

    /// <summary>So many events at most are folded as those that arrive live.</summary>
    private const long MostLive = 20_000;

    /// <summary>
    /// For one transaction: memory to group a chunk without writing it to disk, no compiler, which costs more than it
    /// saves, and a limit to waiting for whoever locks a table, so that it shows.
    /// </summary>
    private const string Settings =
        """
        select set_config('work_mem', '64MB', true),
          set_config('jit', 'off', true),
          set_config('lock_timeout', '2s', true)
        """;

    private readonly string _fold, _foldLive, _takeProgress, _begin, _advance;

    private ProjectionShard(Projection projection, string suffix, string row)
    {
        Projection = projection;
        Row = row;
        Tables = new(projection, suffix);
        _fold = projection.Fold(Tables.Names, LogRange.Parameters);
        _foldLive = projection.Live?.Fold(Tables.Names, LogRange.Parameters) ?? _fold;
        _takeProgress = $"select from {LogProgress.Table} as p where p.name = '{row}' for update";
        _begin =
            $"""
            insert into {LogProgress.Table} (name, last_seq_id) values ('{row}', 0)
            on conflict (name) do nothing
            """;
        _advance =
            $"""
            update {LogProgress.Table}
            set last_seq_id = $2, last_updated = transaction_timestamp(), agent_status = 'Running', pause_reason = null
            where name = '{row}' and last_seq_id = $1
            returning 1
            """;
    }

    /// <summary>The one that serves.</summary>
    public static ProjectionShard Of(Projection projection) => new(projection, projection.Suffix, projection.Row);

    /// <summary>The one that a rebuild fills.</summary>
    public static ProjectionShard BesideOf(Projection projection) =>
        new(projection, $"{projection.Suffix}_rebuild", RebuildRowOf(projection.Row));

    /// <summary>The row of the progress that a rebuild keeps.</summary>
    public static string RebuildRowOf(string row) => row + RebuildEnding;

    public const string RebuildEnding = ":Rebuild";

    public Projection Projection { get; }

    /// <summary>Of the progress.</summary>
    public string Row { get; }

    public TableSet Tables { get; }

    /// <summary>Why it fails while tables are missing.</summary>
    public string Lost => LostOf(Projection);

    public static string LostOf(Projection projection) =>
        $"Tables of {projection.Name} are missing: all are made anew and filled from the log.";

    /// <summary>
    /// Folds (floor, ceiling] and records it, in one transaction. False, and nothing done, if the progress is not at
    /// the floor: someone else was there first. So a shard that two nodes run at once counts nothing twice. What is
    /// folded from the start is folded into empty tables.
    /// </summary>
    public async Task<bool> FoldAsync(NpgsqlDataSource database, long floor, long ceiling, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        if (!await AdvanceAsync(connection, floor, ceiling, stop)) return false;
        if (floor == 0) await EmptyAsync(connection, stop);
        await FoldAsync(connection, floor, ceiling, stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    /// <summary>The fold alone, in the connection's transaction.</summary>
    public async Task FoldAsync(NpgsqlConnection connection, long floor, long ceiling, CancellationToken stop)
    {
        if (Projection.Before is { } before) await before(connection, Tables.Names, floor, ceiling, stop);
        var fold = ceiling - floor > MostLive ? _fold : _foldLive;
        await using var batch = new NpgsqlBatch(connection)
        {
            Timeout = 0,
            BatchCommands =
            {
                new(Settings),
                new(fold) { Parameters = { new() { Value = floor }, new() { Value = ceiling } } },
            },
        };
        await batch.ExecuteNonQueryAsync(stop);
        if (Projection.After is { } after) await after(connection, Tables.Names, stop);
    }

    /// <summary>
    /// Closes some of the open rows that are over. No fold runs meanwhile: this takes the progress first, as folds do.
    /// </summary>
    /// <returns>False if there was nothing to close.</returns>
    public async Task<bool> CloseAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        if (Projection.Live is not { } live) return false;
        await using var connection = await database.OpenConnectionAsync(stop);
        if (!await connection.AskAsync<bool>(live.IsAnyOver(Tables.Names), stop)) return false;
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { new(_takeProgress), new(Settings) } };
        foreach (var sql in live.Close(Tables.Names)) batch.BatchCommands.Add(new(sql));
        await batch.ExecuteNonQueryAsync(stop);
        if (Projection.After is { } after) await after(connection, Tables.Names, stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    /// <summary>
    /// Makes a failure to fold up to the ceiling visible to whoever asks for the status, on whichever node; unless
    /// someone else has folded as far meanwhile.
    /// </summary>
    public async Task NoteFailureAsync(NpgsqlDataSource database, long ceiling, string reason, CancellationToken stop)
    {
        await using var command = database.CreateCommand(
            $"""
            insert into {LogProgress.Table} as kept (name, last_seq_id, agent_status, pause_reason)
            values ('{Row}', 0, 'Failing', $1)
            on conflict (name) do update set agent_status = excluded.agent_status, pause_reason = excluded.pause_reason
            where kept.last_seq_id < $2
            """);
        command.Parameters.Add(new() { Value = reason });
        command.Parameters.Add(new() { Value = ceiling });
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>
    /// Where tables are missing, all are made anew and empty, and the log is to be folded from its start. True if it
    /// was so.
    /// </summary>
    public async Task<bool> RestoreAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await connection.ExecuteAsync(LogProgress.Take(Row), stop);
        if (await connection.AskAsync<bool>($"select {Tables.ArePresent}", stop)) return false;

        await connection.ExecuteAsync(Settings, stop);
        await connection.ExecuteAsync(Tables.CreateSql(), stop);
        await connection.ExecuteAsync(
            $"""
            update {LogProgress.Table} set last_seq_id = 0, agent_status = 'Failing', pause_reason = '{Lost}'
            where name = '{Row}'
            """, stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    private async Task<bool> AdvanceAsync(NpgsqlConnection connection, long floor, long ceiling, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(_begin),
                new(_advance) { Parameters = { new() { Value = floor }, new() { Value = ceiling } } },
            },
        };
        return await batch.ExecuteScalarAsync(stop) is not null;
    }

    /// <summary>Truncating holds readers up, so tables that are empty are left alone.</summary>
    private async Task EmptyAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await connection.ExecuteAsync(Settings, stop);
        var isFilled = await connection.AskAsync<bool>($"select {Tables.HaveRows}", stop);
        if (isFilled) await connection.ExecuteAsync($"truncate {Tables.List}", stop);
    }
}
