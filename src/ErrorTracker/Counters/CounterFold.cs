using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// The SQL that counts: it groups the events of a range of the log by minute, level and message, sums the larger steps
/// up from the minutes, and adds all of them to the tables in one statement. Live folds, catching up, closing minutes
/// and rebuilding share it.
/// </summary>
public static class CounterFold
{
    /// <summary>128 bits of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) =>
        $"encode(substring(sha256(convert_to({message}, 'UTF8')) for 16), 'hex')::uuid";

    /// <summary>
    /// A query: the events of a range of the log grouped by minute, level and message, which all counters are made of.
    /// </summary>
    public static string Minutes(LogRange range) =>
        $"""
        select grouped.tenant_id, grouped.bucket, grouped.level, {HashOf("grouped.message")} as hash, grouped.message,
          grouped.n, grouped.last_seen
        from (
          select e.tenant_id, {Step.Minute.BucketOf("e.timestamp")} as bucket, {LogRow.Level} as level,
            {LogRow.Message} as message,
            count(*) as n, max(e.timestamp) as last_seen
          from {LogSchema.Name}.mt_events as e
          where {range.Holds("e")} and {LogRow.IsError}
          group by 1, 2, 3, 4) as grouped
        """;

    /// <summary>A query: tables that <see cref="Minutes"/> has filled, added up; the same columns.</summary>
    public static string Sum(IReadOnlyList<string> parts) => parts.Count == 0 ? Minutes(LogRange.Empty) :
        $"""
        select part.tenant_id, part.bucket, part.level, part.hash, min(part.message) as message,
          sum(part.n)::bigint as n, max(part.last_seen) as last_seen
        from ({string.Join(" union all ", parts.Select(part => $"table {part}"))}) as part
        group by 1, 2, 3, 4
        """;

    /// <summary>A statement: adds minutes to the tables, and with them all larger steps.</summary>
    /// <param name="tables">Where to.</param>
    /// <param name="minutes">A query that answers minutes as <see cref="Minutes"/> does.</param>
    public static string Into(CounterTables tables, string minutes) => WithSteps(minutes,
        $"""
        {InsertLevels(tables, Step.OfLevels)}
        on conflict (tenant_id, step, bucket, level)
        do update set count = kept.count + excluded.count
        """,
        $"""
        {InsertTexts(tables)}
        on conflict (message_hash) do nothing
        """,
        $"""
        {InsertMessages(tables, Step.OfMessages)}
        on conflict (tenant_id, step, bucket, level, message_hash)
        do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
        """);

    /// <summary>
    /// The same for tables that are empty and have no keys yet, in two statements that may run at once: most rows are
    /// the messages of minutes.
    /// </summary>
    public static string[] IntoEmpty(CounterTables tables, string minutes)
    {
        var larger = Step.OfMessages.Where(step => step != Step.Minute).ToArray();
        return
        [
            WithSteps(minutes,
                InsertMessages(tables, [Step.Minute])),
            WithSteps(minutes,
                InsertLevels(tables, Step.OfLevels),
                InsertTexts(tables),
                InsertMessages(tables, larger)),
        ];
    }

    /// <summary>
    /// Each step is a table of the statement, <c>messages_h</c> and <c>levels_h</c> for hours. Those that no insert
    /// uses PostgreSQL does not compute.
    /// </summary>
    private static string WithSteps(string minutes, params string[] inserts)
    {
        string[] tables =
        [
            $"messages_m as materialized ({minutes})",
            """
            levels_m as materialized (
              select m.tenant_id, m.bucket, m.level, sum(m.n)::bigint as n from messages_m as m group by 1, 2, 3)
            """,
            .. Pairs(Step.OfLevels).Select(pair =>
                $"""
                levels_{pair.Step.Code} as materialized (
                  select s.tenant_id, {pair.Step.BucketOf("s.bucket")} as bucket, s.level, sum(s.n)::bigint as n
                  from levels_{pair.Smaller.Code} as s
                  group by 1, 2, 3)
                """),
            .. Pairs(Step.OfMessages).Select(pair =>
                $"""
                messages_{pair.Step.Code} as materialized (
                  select s.tenant_id, {pair.Step.BucketOf("s.bucket")} as bucket, s.level, s.hash,
                    sum(s.n)::bigint as n, max(s.last_seen) as last_seen
                  from messages_{pair.Smaller.Code} as s
                  group by 1, 2, 3, 4)
                """),
            .. inserts.Select((insert, i) => $"added_{i} as ({insert} returning 1)"),
        ];
        return $"with {string.Join(",\n", tables)}\nselect";
    }

    /// <summary>Each step with the one below it, the smallest first.</summary>
    private static IEnumerable<(Step Step, Step Smaller)> Pairs(Step[] ladder) => ladder.Zip(ladder.Skip(1)).Reverse();

    private static string InsertLevels(CounterTables tables, Step[] steps)
    {
        const string columns = "l.tenant_id, l.bucket, l.level, l.n";
        return $"""
        insert into {tables.Levels} as kept (tenant_id, step, bucket, level, count)
        select s.tenant_id, s.step, s.bucket, s.level, s.n
        from ({Union(steps, step => $"select '{step.Code}' as step, {columns} from levels_{step.Code} as l")}) as s
        order by 1, 2, 3, 4
        """;
    }

    private static string InsertMessages(CounterTables tables, Step[] steps)
    {
        const string columns = "m.tenant_id, m.bucket, m.level, m.hash, m.n, m.last_seen";
        return $"""
        insert into {tables.Messages} as kept (tenant_id, step, bucket, level, message_hash, count, last_seen)
        select s.tenant_id, s.step, s.bucket, s.level, s.hash, s.n, s.last_seen
        from ({Union(steps, step => $"select '{step.Code}' as step, {columns} from messages_{step.Code} as m")}) as s
        order by 1, 2, 3, 4, 5
        """;
    }

    private static string InsertTexts(CounterTables tables) =>
        $"""
        insert into {tables.Texts} (message_hash, message)
        select m.hash, min(m.message) from messages_m as m group by 1 order by 1
        """;

    private static string Union(Step[] steps, Func<Step, string> select) =>
        string.Join(" union all ", steps.Select(select));
}
