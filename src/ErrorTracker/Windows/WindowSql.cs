using ErrorTracker.Counters;
using ErrorTracker.Log;

namespace ErrorTracker.Windows;

/// <summary>
/// The parts of a statistic's SQL. They are disjoint and cover the window of its <see cref="Question"/>: the whole
/// buckets that the counters hold, and from the log the ragged ends, as far as it is folded, and the tail, which is not
/// folded yet. So every answer is exact and includes each event whose 201 has been answered.
/// </summary>
internal static class WindowSql
{
    /// <summary>The window's whole buckets, as a table of SQL: rows of the counters.</summary>
    /// <param name="columns">Columns of <paramref name="table"/> that the open minutes have too.</param>
    /// <param name="table">Of the counters.</param>
    /// <param name="scope">Which rows.</param>
    internal static string Counted(string columns, string table, Scope? scope = null) =>
        $"""
        ({ClosedBuckets(columns, table, scope ?? Scope.All)}
        union all
        {OpenMinutes(columns, scope ?? Scope.All)}) as counted
        """;

    /// <summary>The window's events that no whole bucket has counted, as a table of SQL: rows of the log.</summary>
    internal static string Loose(string columns, Scope? scope = null) =>
        $"""
        ({RaggedEnds(columns, scope ?? Scope.All)}
        union all
        {Tail(columns, scope ?? Scope.All)}) as loose
        """;

    /// <summary>
    /// Runs of whole buckets, each of one step. By <c>offset 0</c> the planner looks up each run by the key.
    /// </summary>
    private static string ClosedBuckets(string columns, string table, Scope scope) =>
        $"""
        select c.* from unnest(@steps, @run_since, @run_until) as run(step, since, until)
        {scope.Groups}
        cross join lateral (
          select {columns} from {table} as kept
          where kept.tenant_id = @tenant {scope.Counted("kept")} and kept.step = run.step
            and kept.bucket >= run.since and kept.bucket < run.until
            and (@level::text is null or kept.level = @level)
          offset 0) as c
        """;

    /// <summary>Whole minutes that are still open, which have no row in a step yet: a row for each message.</summary>
    private static string OpenMinutes(string columns, Scope scope) =>
        $"""
        select o.* from unnest(@whole_since, @whole_until) as whole(since, until)
        join {CounterTables.Current.OpenBuckets} as b on b.bucket >= whole.since and b.bucket < whole.until
        {scope.Groups}
        cross join lateral (
          select {columns} from {CounterTables.Current.OpenMinutes} as m
          where m.bucket = b.bucket and m.tenant_id = @tenant {scope.Counted("m")}
            and (@level::text is null or m.level = @level)
          offset 0) as o
        """;

    /// <summary>What no whole bucket fits, as far as the log is folded.</summary>
    private static string RaggedEnds(string columns, Scope scope) =>
        $"""
        select e.* from unnest(@ragged_since, @ragged_until) as ragged(since, until)
        {(scope.IsOneIssue ? "cross join unnest(@keys) as own(group_key)" : "")}
        cross join lateral (
          {(scope.IsOneIssue ? RaggedEndOfGroup(columns) : RaggedEnd(columns))}
          offset 0) as e
        """;

    private static string RaggedEnd(string columns) =>
        $"""
        select {columns} from {LogSchema.Name}.mt_events as log
        where log.tenant_id = @tenant and {LogRow.IsError}
          and log.timestamp >= ragged.since and log.timestamp < ragged.until
          and log.seq_id <= @folded
          and (@level::text is null or {LogRow.Level} = @level)
        """;

    /// <summary>
    /// By the index of keys, and those that have their keys apart: an end may be a minute of many other events.
    /// </summary>
    private static string RaggedEndOfGroup(string columns) =>
        $"""
        {RaggedEnd(columns)}
          and log.{LogRow.StoredKey} = own.group_key
          and not exists (
            select from {CounterTables.Current.EventKeys} as k
            where k.tenant_id = @tenant and k.grouping = @grouping and k.seq_id = log.seq_id)
        union all
        select {columns}
        from (
          select k.seq_id as keyed from {CounterTables.Current.EventKeys} as k
          where k.tenant_id = @tenant and k.grouping = @grouping and k.group_key = own.group_key
            and k.received_at >= ragged.since and k.received_at < ragged.until and k.seq_id <= @folded) as apart
        join {LogSchema.Name}.mt_events as log on log.seq_id = apart.keyed
        where @level::text is null or {LogRow.Level} = @level
        """;

    /// <summary>The end of the log, which is not folded yet, over the whole window.</summary>
    private static string Tail(string columns, Scope scope) =>
        $"""
        select {columns} from {LogSchema.Name}.mt_events as log
        where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError}
          and log.timestamp >= @since and log.timestamp < @until
          and (@level::text is null or {LogRow.Level} = @level)
          {scope.Loose}
        """;
}
