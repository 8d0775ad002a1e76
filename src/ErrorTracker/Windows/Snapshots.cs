using System.Data;
using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// Takes snapshots of the database, in which the counters, how far they have folded, and the log agree. Each question
/// takes one of its own.
/// </summary>
/// <remarks>
/// How far things are is read first and then sent as values: only so can the planner know how short the tail is.
/// </remarks>
public sealed class Snapshots(LogDatabases databases)
{
    /// <summary>So long at most one statement of a reader may take. Then the reader is answered 503.</summary>
    private static readonly TimeSpan StatementTimeout = TimeSpan.FromSeconds(15);

    private static readonly ProjectionShard CountersShard = ProjectionShard.Of(CountersProjection.Definition);

    private static readonly string MarksSql =
        $"""
        select {LogProgress.Of($"'{CountersShard.Row}'")},
          (select e.timestamp from {LogSchema.Name}.mt_events as e
           where e.tenant_id = $1 and {LogRow.IsError} order by e.timestamp desc limit 1),
          {LogProgress.Mark},
          {LogProgress.LogEnd},
          coalesce((select a.grouping from {AdoptedRules.Table} as a where a.tenant_id = $1), 0)
        """;

    /// <summary>
    /// A connection that was lost while nobody used it is replaced by a new one. Tables that somebody dropped are made
    /// anew: until they are filled again all is counted from the log.
    /// </summary>
    internal async Task<Snapshot> TakeAsync(int applicationId, CancellationToken stop)
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
            await CountersShard.RestoreAsync(databases.Of(applicationId).Reserved, stop);
            return await BeginAsync(applicationId, stop);
        }
    }

    private async Task<Snapshot> BeginAsync(int applicationId, CancellationToken stop)
    {
        var reader = await databases.Of(applicationId).OpenReaderAsync(applicationId, stop);
        try
        {
            await reader.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
            return new(reader, applicationId, await ReadMarksAsync(reader.Connection, applicationId, stop));
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
                new($"lock table {CountersShard.Tables.List} in access share mode"),
                new(MarksSql) { Parameters = { new() { Value = TenantId.Of(applicationId) } } },
            },
        };
        await using var row = await batch.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        var newest = row.IsDBNull(1) ? DateTimeOffset.MinValue : row.GetFieldValue<DateTimeOffset>(1);
        return new(row.GetInt64(0), newest, row.GetInt64(2), row.GetInt64(3), row.GetInt32(4));
    }
}
