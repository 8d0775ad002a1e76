using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>Tables of counters and the row of <c>mt_event_progression</c> that says how far the log is folded into them.</summary>
/// <param name="Name">Of that row.</param>
internal sealed record CounterShard(string Name, CounterTables Tables)
{
    public static readonly CounterShard Current = new(CounterProjection.ShardIdentity, CounterTables.Current);

    /// <summary>Events folded in one transaction: large enough to be fast, small enough to show progress and to lose little to a kill.</summary>
    public const long Chunk = 100_000;

    public const string Progress = $"{LogSchema.Name}.mt_event_progression";

    /// <summary>Why the counters fail while tables are missing.</summary>
    public const string Lost = "Tables of the counters are missing: all are made anew and filled from the log.";

    /// <summary>So many events at most are folded into the open minutes: those that arrive live.</summary>
    private const long Live = 20_000;

    /// <summary>Rows of open minutes closed in one transaction, for which a fold may have to wait.</summary>
    private const int ClosedAtOnce = 2_000;

    private readonly string _fold = CounterFold.Into(Tables, CounterFold.Minutes("$1", "$2")), _foldLive = CounterFold.IntoOpen(Tables, CounterFold.Minutes("$1", "$2")),
        _close = CounterFold.Into(Tables, CounterFold.Close(Tables, ClosedAtOnce)),
        _anyOver = $"select exists (select from {Tables.OpenBuckets} as b where {CounterFold.IsOver})";

    /// <summary>0 if nothing is folded.</summary>
    public async Task<long> ReadProgressAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand($"select last_seq_id from {Progress} where name = $1", connection) { Parameters = { new() { Value = Name } } };
        return await command.ExecuteScalarAsync(stop) as long? ?? 0;
    }

    /// <summary>
    /// Folds (floor, ceiling] and records it, in one transaction. False, and nothing done, if the progress is not at the floor: someone else
    /// was there first. So a shard that two nodes run at once counts nothing twice. What is folded from the start is folded into empty tables.
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

    private async Task EmptyAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var filled = new NpgsqlCommand($"{CounterFold.Settings}; select {string.Join(" or ", Tables.Names.Select(table => $"exists (select from {table})"))}", connection);
        await using (var reader = await filled.ExecuteReaderAsync(stop))
            if (!await reader.NextResultAsync(stop) || !await reader.ReadAsync(stop) || !reader.GetBoolean(0)) return;
        await using var empty = new NpgsqlCommand($"truncate {string.Join(", ", Tables.Names)}", connection);
        await empty.ExecuteNonQueryAsync(stop);
    }

    /// <summary>The fold alone, in the connection's transaction.</summary>
    public async Task FoldAsync(NpgsqlConnection connection, long floor, long ceiling, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            Timeout = 0,
            BatchCommands = { new(CounterFold.Settings), new(ceiling - floor > Live ? _fold : _foldLive) { Parameters = { new() { Value = floor }, new() { Value = ceiling } } } },
        };
        await batch.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Moves some of the open minutes that are over to the steps of the ladder. No fold runs meanwhile: this takes the progress first, as folds do.</summary>
    /// <returns>False if there was nothing to move.</returns>
    public async Task<bool> CloseMinutesAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var any = new NpgsqlCommand(_anyOver, connection);
        if (await any.ExecuteScalarAsync(stop) is not true) return false;
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"select from {Progress} where name = '{Name}' for update"),
                new(CounterFold.Settings), new(_close), new(CounterFold.Forget(Tables)),
            },
        };
        await batch.ExecuteNonQueryAsync(stop);
        await transaction.CommitAsync(stop);
        return true;
    }

    private async Task<bool> AdvanceAsync(NpgsqlConnection connection, long floor, long ceiling, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new($"insert into {Progress} (name, last_seq_id) values ($1, 0) on conflict (name) do nothing") { Parameters = { new() { Value = Name } } },
                new($"""
                    update {Progress} set last_seq_id = $3, last_updated = transaction_timestamp(), agent_status = 'Running', pause_reason = null
                    where name = $1 and last_seq_id = $2 returning 1
                    """) { Parameters = { new() { Value = Name }, new() { Value = floor }, new() { Value = ceiling } } },
            },
        };
        return await batch.ExecuteScalarAsync(stop) is not null;
    }

    /// <summary>Makes a failure to fold up to the ceiling visible to whoever asks for the status, on whichever node; unless someone else has folded as far meanwhile.</summary>
    public async Task NoteFailureAsync(NpgsqlDataSource database, long ceiling, string reason, CancellationToken stop)
    {
        await using var command = database.CreateCommand(
            $"""
            insert into {Progress} (name, last_seq_id, agent_status, pause_reason) values ($1, 0, 'Failing', $2)
            on conflict (name) do update set agent_status = 'Failing', pause_reason = $2 where {Progress}.last_seq_id < $3
            """);
        command.Parameters.Add(new() { Value = Name });
        command.Parameters.Add(new() { Value = reason });
        command.Parameters.Add(new() { Value = ceiling });
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Where tables are missing, all are made anew and empty, and the log is to be folded from its start. True if it was so.</summary>
    public async Task<bool> RestoreAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(stop);
        await ExecuteAsync($"insert into {Progress} (name, last_seq_id) values ('{Name}', 0) on conflict (name) do update set last_seq_id = {Progress}.last_seq_id"); // as a fold does, so that neither waits for the other
        await using var present = new NpgsqlCommand($"select {Tables.ArePresent}", connection);
        if (await present.ExecuteScalarAsync(stop) is true) return false;

        await ExecuteAsync($"{CounterFold.Settings}; {Tables.CreateSql()}");
        await ExecuteAsync($"update {Progress} set last_seq_id = 0, agent_status = 'Failing', pause_reason = '{Lost}' where name = '{Name}'");
        await transaction.CommitAsync(stop);
        return true;

        async Task ExecuteAsync(string sql)
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
    }
}
