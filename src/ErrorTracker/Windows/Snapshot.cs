using System.Data;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// Where statistics come from: one snapshot of the database in which the counters, how far they have folded, and the log agree.
/// A query adds three disjoint parts: whole buckets from the counters, those of minutes still open among them, ragged ends of the window from the log as far as it is
/// folded, and the log's un-folded tail. So every answer is exact and includes each event whose 201 has been answered.
/// </summary>
/// <remarks>How far things are is read first and then sent as values: only so can the planner know how short the tail is.</remarks>
public sealed class Snapshot(LogDatabases databases)
{
    /// <summary>Rows of counters that lie in the window's runs of whole buckets; of open minutes a row for each message.</summary>
    internal static string Counted(string columns, string table) =>
        $"""
        (select c.* from unnest(@steps, @run_since, @run_until) as run(step, since, until) cross join lateral (
          select {columns} from {table} as kept
          where tenant_id = @tenant and kept.step = run.step and bucket >= run.since and bucket < run.until
            and (@level::text is null or level = @level)
          offset 0) as c
        union all
        select o.* from unnest(@whole_since, @whole_until) as whole(since, until)
        join {CounterTables.Current.OpenBuckets} as b on b.bucket >= whole.since and b.bucket < whole.until
        cross join lateral (
          select {columns} from {CounterTables.Current.OpenMinutes} as m
          where m.bucket = b.bucket and m.tenant_id = @tenant and (@level::text is null or m.level = @level)
          offset 0) as o) as counted
        """;

    /// <summary>The events of the window that no whole bucket has counted.</summary>
    internal static string Loose(string columns) =>
        $"""
        (select e.* from unnest(@ragged_since, @ragged_until) as ragged(since, until) cross join lateral (
          select {columns} from {LogSchema.Name}.mt_events
          where tenant_id = @tenant and {LogRow.IsError} and timestamp >= ragged.since and timestamp < ragged.until and seq_id <= @folded
            and (@level::text is null or {LogRow.Level} = @level)
          offset 0) as e
        union all
        select {columns} from {LogSchema.Name}.mt_events
        where seq_id > @folded and tenant_id = @tenant and {LogRow.IsError} and timestamp >= @since and timestamp < @until
          and (@level::text is null or {LogRow.Level} = @level)) as loose
        """;

    /// <summary>So long at most one statement of a reader may take. Then the reader is answered 503.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(15);

    private static readonly string MarksSql =
        $"""
        select coalesce((select last_seq_id from {LogSchema.Name}.mt_event_progression where name = $1), 0),
          (select timestamp from {LogSchema.Name}.mt_events where tenant_id = $2 and {LogRow.IsError} order by timestamp desc limit 1)
        """;

    /// <summary>Runs one query made of these parts and reads its rows.</summary>
    internal async Task<List<T>> QueryAsync<T>(string sql, Question question, Func<NpgsqlDataReader, T> row, CancellationToken stop)
    {
        await using var view = await TakeAsync(question.ApplicationId, stop);
        return await view.QueryAsync(sql, question, row, stop);
    }

    /// <summary>
    /// The tables are locked before the snapshot is taken, as LOCK takes none itself: a rebuild cannot put others in their place in between.
    /// Compiling these short queries would cost more than running them.
    /// </summary>
    internal async Task<SnapshotView> TakeAsync(int applicationId, CancellationToken stop)
    {
        try
        {
            return await LockAsync(applicationId, stop);
        }
        catch (NpgsqlException e) when (e.IsTransient)
        {
            return await LockAsync(applicationId, stop); // the connection was lost while nobody used it: others are new
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable)
        {
            await CounterShard.Current.RestoreAsync(databases.Of(applicationId).Reserved, stop); // somebody dropped tables: count from the log until they are filled again
            return await LockAsync(applicationId, stop);
        }
    }

    private async Task<SnapshotView> LockAsync(int applicationId, CancellationToken stop)
    {
        var reader = await databases.Of(applicationId).OpenReaderAsync(applicationId, stop);
        try
        {
            await reader.Connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
            return new(reader, await LockAsync(reader.Connection, applicationId, stop));
        }
        catch
        {
            await reader.DisposeAsync();
            throw;
        }
    }

    private static async Task<Marks> LockAsync(NpgsqlConnection connection, int applicationId, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("set local jit = off"),
                new($"set local statement_timeout = '{MostTime.TotalSeconds}s'"),
                new($"lock table {string.Join(", ", CounterTables.Current.Names)} in access share mode"),
                new(MarksSql) { Parameters = { new() { Value = CounterShard.Current.Name }, new() { Value = applicationId.ToString() } } },
            },
        };
        await using var row = await batch.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        return new(row.GetInt64(0), row.IsDBNull(1) ? DateTimeOffset.MinValue : row.GetFieldValue<DateTimeOffset>(1));
    }
}

/// <summary>One snapshot, for as many queries as an answer needs. Closing the connection ends its transaction.</summary>
internal sealed class SnapshotView(Reader reader, Marks marks) : IAsyncDisposable
{
    public NpgsqlCommand Ask(string sql, Question question)
    {
        var command = question.Ask(sql, marks);
        command.Connection = reader.Connection;
        return command;
    }

    public async Task<List<T>> QueryAsync<T>(string sql, Question question, Func<NpgsqlDataReader, T> row, CancellationToken stop)
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

/// <summary>What a statistic is asked about: an application, a window, how it may be cut into buckets, and what else it filters by.</summary>
/// <param name="Level">Canonical; null for all.</param>
/// <param name="More">Named parameters of the one query.</param>
internal sealed record Question(int ApplicationId, Window Window, Func<Window, IEnumerable<Cut>> Cut, string? Level = null, params (string Name, object Value)[] More)
{
    public Question(int applicationId, Window window, Step[] ladder, string? level = null, params (string Name, object Value)[] more)
        : this(applicationId, window, whole => [whole.Cut(ladder)], level, more)
    {
    }

    public NpgsqlCommand Ask(string sql, Marks marks)
    {
        var cuts = Cut(Window.Beyond(marks.Newest)).ToList();
        var ragged = cuts.SelectMany(c => c.Ragged).ToList();
        var buckets = marks.Folded == 0 ? [] : cuts.SelectMany(c => c.Buckets).ToList(); // whose progress was lost are void, and about to be counted anew
        var command = new NpgsqlCommand(sql);
        void Add(string name, object? value) => command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        Add("tenant", ApplicationId.ToString());
        Add("since", Window.Since);
        Add("until", Window.Until);
        Add("level", Level);
        Add("folded", marks.Folded);
        Add("steps", buckets.Select(b => b.Step.Code).ToArray());
        Add("run_since", buckets.Select(b => b.Run.Since).ToArray());
        Add("run_until", buckets.Select(b => b.Run.Until).ToArray());
        var whole = Join(buckets.Select(b => b.Run));
        Add("whole_since", whole.Select(w => w.Since).ToArray());
        Add("whole_until", whole.Select(w => w.Until).ToArray());
        Add("ragged_since", ragged.Select(r => r.Since).ToArray());
        Add("ragged_until", ragged.Select(r => r.Until).ToArray());
        foreach (var (name, value) in More) Add(name, value);
        return command;
    }

    /// <summary>Windows that meet, as one; in ascending order as they come.</summary>
    private static List<Window> Join(IEnumerable<Window> windows)
    {
        var joined = new List<Window>();
        foreach (var window in windows)
            if (joined.Count > 0 && joined[^1].Until == window.Since) joined[^1] = joined[^1] with { Until = window.Until };
            else joined.Add(window);
        return joined;
    }
}
