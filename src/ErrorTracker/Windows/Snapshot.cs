using System.Data;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// Where statistics come from: one snapshot of the database in which the counters, how far they have folded, and the
/// log agree. A query adds parts that are disjoint and cover its window: the whole buckets that the counters hold, and
/// from the log the ragged ends, as far as it is folded, and the tail, which is not folded yet. So every answer is
/// exact and includes each event whose 201 has been answered.
/// </summary>
/// <remarks>
/// How far things are is read first and then sent as values: only so can the planner know how short the tail is.
/// </remarks>
public sealed class Snapshot(LogDatabases databases)
{
    /// <summary>So long at most one statement of a reader may take. Then the reader is answered 503.</summary>
    private static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(15);

    private static readonly ProjectionShard Counters = ProjectionShard.Of(CountersProjection.Definition);

    private static readonly string MarksSql =
        $"""
        select {LogProgress.Of($"'{Counters.Row}'")},
          (select e.timestamp from {LogSchema.Name}.mt_events as e
           where e.tenant_id = $1 and {LogRow.IsError} order by e.timestamp desc limit 1)
        """;

    /// <summary>The window's whole buckets, as a table of SQL: rows of the counters.</summary>
    /// <param name="columns">Columns of <paramref name="table"/> that the open minutes have too.</param>
    /// <param name="table">Of the counters.</param>
    internal static string Counted(string columns, string table) =>
        $"""
        ({ClosedBuckets(columns, table)}
        union all
        {OpenMinutes(columns)}) as counted
        """;

    /// <summary>The window's events that no whole bucket has counted, as a table of SQL: rows of the log.</summary>
    internal static string Loose(string columns) =>
        $"""
        ({RaggedEnds(columns)}
        union all
        {Tail(columns)}) as loose
        """;

    /// <summary>
    /// Runs of whole buckets, each of one step. By <c>offset 0</c> the planner looks up each run by the key.
    /// </summary>
    private static string ClosedBuckets(string columns, string table) =>
        $"""
        select c.* from unnest(@steps, @run_since, @run_until) as run(step, since, until)
        cross join lateral (
          select {columns} from {table} as kept
          where kept.tenant_id = @tenant and kept.step = run.step
            and kept.bucket >= run.since and kept.bucket < run.until
            and (@level::text is null or kept.level = @level)
          offset 0) as c
        """;

    /// <summary>Whole minutes that are still open, which have no row in a step yet: a row for each message.</summary>
    private static string OpenMinutes(string columns) =>
        $"""
        select o.* from unnest(@whole_since, @whole_until) as whole(since, until)
        join {CounterTables.Current.OpenBuckets} as b on b.bucket >= whole.since and b.bucket < whole.until
        cross join lateral (
          select {columns} from {CounterTables.Current.OpenMinutes} as m
          where m.bucket = b.bucket and m.tenant_id = @tenant
            and (@level::text is null or m.level = @level)
          offset 0) as o
        """;

    /// <summary>What no whole bucket fits, as far as the log is folded.</summary>
    private static string RaggedEnds(string columns) =>
        $"""
        select e.* from unnest(@ragged_since, @ragged_until) as ragged(since, until)
        cross join lateral (
          select {columns} from {LogSchema.Name}.mt_events as log
          where log.tenant_id = @tenant and {LogRow.IsError}
            and log.timestamp >= ragged.since and log.timestamp < ragged.until
            and log.seq_id <= @folded
            and (@level::text is null or {LogRow.Level} = @level)
          offset 0) as e
        """;

    /// <summary>The end of the log, which is not folded yet, over the whole window.</summary>
    private static string Tail(string columns) =>
        $"""
        select {columns} from {LogSchema.Name}.mt_events as log
        where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError}
          and log.timestamp >= @since and log.timestamp < @until
          and (@level::text is null or {LogRow.Level} = @level)
        """;

    /// <summary>
    /// A connection that was lost while nobody used it is replaced by a new one. Tables that somebody dropped are made
    /// anew: until they are filled again all is counted from the log.
    /// </summary>
    internal async Task<SnapshotView> TakeAsync(int applicationId, CancellationToken stop)
    {
        try
        {
            return await BeginAsync(applicationId, stop);
        }
        catch (NpgsqlException e) when (e.IsTransient)
        {
            return await BeginAsync(applicationId, stop);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            await Counters.RestoreAsync(databases.Of(applicationId).Reserved, stop);
            return await BeginAsync(applicationId, stop);
        }
    }

    private async Task<SnapshotView> BeginAsync(int applicationId, CancellationToken stop)
    {
        var reader = await databases.Of(applicationId).OpenReaderAsync(applicationId, stop);
        try
        {
            await reader.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
            return new(reader, await ReadMarksAsync(reader.Connection, applicationId, stop));
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The tables are locked before the snapshot is taken, as LOCK takes none itself: a rebuild cannot put others in
    /// their place in between. Compiling these short queries would cost more than running them.
    /// </summary>
    private static async Task<Marks> ReadMarksAsync(
        NpgsqlConnection connection, int applicationId, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("set local jit = off"),
                new($"set local statement_timeout = '{StatementTimeout.TotalSeconds}s'"),
                new($"lock table {Counters.Tables.List} in access share mode"),
                new(MarksSql) { Parameters = { new() { Value = TenantId.Of(applicationId) } } },
            },
        };
        await using var row = await batch.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        var newest = row.IsDBNull(1) ? DateTimeOffset.MinValue : row.GetFieldValue<DateTimeOffset>(1);
        return new(row.GetInt64(0), newest);
    }
}

/// <summary>
/// One snapshot, for as many queries as an answer needs. Closing the connection ends its transaction.
/// </summary>
internal sealed class SnapshotView(Reader reader, Marks marks) : IAsyncDisposable
{
    public NpgsqlCommand Ask(string sql, Question question)
    {
        var command = question.Ask(sql, marks);
        command.Connection = reader.Connection;
        return command;
    }

    public async Task<List<T>> QueryAsync<T>(
        string sql, Question question, Func<NpgsqlDataReader, T> row, CancellationToken stop)
    {
        await using var command = Ask(sql, question);
        await using var found = await command.ExecuteReaderAsync(stop);
        var rows = new List<T>();
        while (await found.ReadAsync(stop)) rows.Add(row(found));
        return rows;
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();
}

/// <summary>How far things are in a snapshot.</summary>
/// <param name="Folded">The sequence up to which the counters have folded the log.</param>
/// <param name="Newest">The received_at of the application's last event.</param>
internal sealed record Marks(long Folded, DateTimeOffset Newest);
