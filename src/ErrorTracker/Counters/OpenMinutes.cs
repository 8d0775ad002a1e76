namespace ErrorTracker.Counters;

/// <summary>
/// The SQL of minutes that may still grow. Live folds add to these alone: one row a message and minute instead of one a
/// step. A minute that is over is closed, which adds it to all steps once. An event that is late opens its minute
/// again.
/// </summary>
internal static class OpenMinutes
{
    /// <summary>Rows closed in one transaction, for which a fold may have to wait.</summary>
    private const int ClosedAtOnce = 2_000;

    /// <summary>A condition on an open bucket, called b.</summary>
    private const string IsOver = "b.bucket < now() - interval '65 seconds'";

    /// <summary>A statement: adds minutes to the open ones.</summary>
    /// <param name="tables">Where to.</param>
    /// <param name="sent">A query, as <see cref="CounterFold.Sent"/>.</param>
    public static string Into(CounterTables tables, string sent) =>
        $"""
        with sent as materialized ({sent}),
        {string.Join(",\n", Groups.AddNew(tables))},
        minutes as materialized ({Groups.NumberedMinutes("numbered")}),
        opened as (
          insert into {tables.OpenBuckets} (bucket)
          select distinct m.bucket from minutes as m order by 1
          on conflict (bucket) do nothing)
        insert into {tables.OpenMinutes} as kept
          (bucket, tenant_id, grouping, number, message_hash, level, release, environment, message, count, first_seen,
           last_seen)
        select m.bucket, m.tenant_id, m.grouping, m.number, m.hash, m.level, m.release, m.environment, m.message, m.n,
          m.first_seen, m.last_seen
        from minutes as m
        order by 1, 2, 3, 4, 5, 6, 7, 8
        on conflict (bucket, tenant_id, grouping, number, message_hash, level, release, environment)
        do update set count = kept.count + excluded.count,
          first_seen = least(kept.first_seen, excluded.first_seen),
          last_seen = greatest(kept.last_seen, excluded.last_seen)
        """;

    public static string IsAnyOver(CounterTables tables) =>
        $"select exists (select from {tables.OpenBuckets} as b where {IsOver})";

    public static string[] Close(CounterTables tables) =>
        [CounterFold.IntoClosed(tables, Take(tables)), Forget(tables)];

    /// <summary>A query, <c>minutes</c>, that removes some rows that are over, and answers them.</summary>
    private static string Take(CounterTables tables) =>
        $"""
        delete from {tables.OpenMinutes} as taken
        where taken.ctid = any(array(
          select found.place from {tables.OpenBuckets} as b
          cross join lateral (
            select o.ctid as place from {tables.OpenMinutes} as o
            where o.bucket = b.bucket limit {ClosedAtOnce}) as found
          where {IsOver} limit {ClosedAtOnce}))
        returning taken.tenant_id, taken.grouping, taken.number, taken.bucket, taken.level, taken.message_hash as hash,
          taken.message, taken.release, taken.environment, taken.count as n, taken.first_seen, taken.last_seen
        """;

    /// <summary>Minutes that are over and of which no row is left are no longer open.</summary>
    private static string Forget(CounterTables tables) =>
        $"""
        delete from {tables.OpenBuckets} as b
        where {IsOver} and not exists (select from {tables.OpenMinutes} as o where o.bucket = b.bucket)
        """;
}
