using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// The SQL that counts: it sums the events of a range of the log up by minute and by all that is told apart, numbers
/// the groups that are new, sums the larger steps up from the minutes, and adds all of them to the tables in one
/// statement. Live folds, catching up, closing minutes and rebuilding share it.
/// </summary>
/// <remarks>
/// Its subqueries have two forms. <c>sent</c> has a row for each minute and <c>group_key</c>, as the log is read;
/// <c>minutes</c> has the group's number instead.
/// </remarks>
public static class CounterFold
{

    /// <summary>128 bits of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) =>
        $"encode(substring(sha256(convert_to({message}, 'UTF8')) for 16), 'hex')::uuid";

    /// <summary>
    /// A query, <c>sent</c>: the events of a range of the log, by minute, level, message, group key, release and
    /// environment.
    /// </summary>
    public static string Sent(CounterTables tables, LogRange range) =>
        SentOf(tables, range, "coalesce(a.grouping, 0)",
            $"left join {AdoptedRules.Table} as a on a.tenant_id = e.tenant_id", condition: "");

    /// <summary>The same of one application, <c>$3</c>, by rules that need not serve, <c>$4</c>.</summary>
    public static string SentBy(CounterTables tables) =>
        SentOf(tables, LogRange.Parameters, "$4::integer", join: "", "and e.tenant_id = $3");

    private static string SentOf(CounterTables tables, LogRange range, string grouping, string join, string condition) =>
        $"""
        select grouped.tenant_id, grouped.grouping, grouped.bucket, grouped.level,
          {HashOf("grouped.message")} as hash, grouped.message, grouped.group_key, grouped.release,
          grouped.environment, grouped.n, grouped.first_seen, grouped.last_seen, grouped.first_seq
        from (
          select e.tenant_id, {grouping} as grouping,
            {Step.Minute.BucketOf("e.timestamp")} as bucket, {LogRow.Level} as level, {LogRow.Message} as message,
            coalesce(k.group_key, {LogRow.StoredKey}, '') as group_key,
            coalesce(k.release, e.headers->>'{EventFacts.ReleaseMember}', '') as release,
            coalesce(k.environment, e.headers->>'{EventFacts.EnvironmentMember}', '') as environment,
            count(*) as n, min(e.timestamp) as first_seen, max(e.timestamp) as last_seen, min(e.seq_id) as first_seq
          from {LogSchema.Name}.mt_events as e
          {join}
          left join {tables.EventKeys} as k
            on k.tenant_id = e.tenant_id and k.grouping = {grouping} and k.seq_id = e.seq_id
          where {range.Holds("e")} and {LogRow.IsError} {condition}
          group by 1, 2, 3, 4, 5, 6, 7, 8) as grouped
        """;

    /// <summary>A query, <c>sent</c>: tables that <see cref="Sent"/> has filled, added up.</summary>
    public static string Sum(IReadOnlyList<string> parts) =>
        $"""
        select part.tenant_id, part.grouping, part.bucket, part.level, part.hash, min(part.message) as message,
          part.group_key, part.release, part.environment, sum(part.n)::bigint as n,
          min(part.first_seen) as first_seen, max(part.last_seen) as last_seen, min(part.first_seq) as first_seq
        from ({string.Join(" union all ", parts.Select(part => $"table {part}"))}) as part
        group by part.tenant_id, part.grouping, part.bucket, part.level, part.hash, part.group_key, part.release,
          part.environment
        """;

    /// <summary>A statement: adds what was <see cref="Sent"/> to the tables, and with it all larger steps.</summary>
    public static string Into(CounterTables tables, string sent) => WithSteps(
        [
            $"sent as materialized ({sent})",
            $"numbered as ({Groups.Upsert(tables)})",
            $"minutes as materialized ({Groups.NumberedMinutes("numbered")})",
        ],
        Upserts(tables));

    /// <summary>A statement: the same by rules that do not serve, so that only what knows groups is counted.</summary>
    public static string IntoGroups(CounterTables tables, string sent) => WithSteps(
        [
            $"sent as materialized ({sent})",
            $"numbered as ({Groups.Upsert(tables)})",
            $"minutes as materialized ({Groups.NumberedMinutes("numbered")})",
        ],
        [UpsertMessages(tables), UpsertGroupCounts(tables)]);

    /// <summary>A statement: adds minutes that are numbered, and counted nowhere but in the open ones.</summary>
    public static string IntoClosed(CounterTables tables, string minutes) => WithSteps(
        [$"minutes as materialized ({minutes})"],
        [Groups.AddMinutes(tables), .. Upserts(tables)]);

    /// <summary>
    /// The same for tables that are empty and have no keys yet: stages of statements, each of which may run at once.
    /// </summary>
    public static string[][] IntoEmpty(CounterTables tables, IReadOnlyList<string> parts)
    {
        if (parts.Count == 0) return [];
        string[] minutes = [$"minutes as materialized ({Groups.Numbered(tables, Sum(parts))})"];
        var larger = Step.OfMessages.Where(step => step != Step.Minute).ToArray();
        return
        [
            [Groups.InsertAll(tables, Sum(parts))],
            [
                WithSteps(minutes,
                    [InsertMessages(tables, [Step.Minute]), InsertLevels(tables, Step.OfLevels), InsertTexts(tables)]),
                WithSteps(minutes,
                    [InsertMessages(tables, larger), InsertGroupCounts(tables), Releases(tables)]),
            ],
        ];
    }

    private static string[] Upserts(CounterTables tables) =>
    [
        $"""
        {InsertLevels(tables, Step.OfLevels)}
        on conflict (tenant_id, step, bucket, level)
        do update set count = kept.count + excluded.count
        """,
        $"""
        {InsertTexts(tables)}
        on conflict (message_hash) do nothing
        """,
        UpsertMessages(tables),
        UpsertGroupCounts(tables),
        $"""
        {Releases(tables)}
        on conflict (tenant_id, release)
        do update set count = kept.count + excluded.count,
          first_seen = least(kept.first_seen, excluded.first_seen),
          last_seen = greatest(kept.last_seen, excluded.last_seen)
        """,
    ];

    private static string UpsertMessages(CounterTables tables) =>
        $"""
        {InsertMessages(tables, Step.OfMessages)}
        on conflict (tenant_id, grouping, step, bucket, level, message_hash, number)
        do update set count = kept.count + excluded.count,
          first_seen = least(kept.first_seen, excluded.first_seen),
          last_seen = greatest(kept.last_seen, excluded.last_seen)
        """;

    private static string UpsertGroupCounts(CounterTables tables) =>
        $"""
        {InsertGroupCounts(tables)}
        on conflict (tenant_id, grouping, number, step, bucket, level, release, environment)
        do update set count = kept.count + excluded.count
        """;

    /// <summary>
    /// Each step is a table of the statement: <c>messages_h</c>, <c>levels_h</c> and <c>groups_h</c> for hours. Those
    /// that no insert uses PostgreSQL does not compute.
    /// </summary>
    /// <param name="minutes">Subqueries, the last of which is <c>minutes</c>.</param>
    /// <param name="changes">Statements that use the steps.</param>
    private static string WithSteps(string[] minutes, string[] changes)
    {
        string[] tables =
        [
            .. minutes,
            """
            levels_m as materialized (
              select m.tenant_id, m.bucket, m.level, sum(m.n)::bigint as n from minutes as m group by 1, 2, 3)
            """,
            .. Pairs(Step.OfLevels).Select(pair =>
                $"""
                levels_{pair.Step.Code} as materialized (
                  select s.tenant_id, {pair.Step.BucketOf("s.bucket")} as bucket, s.level, sum(s.n)::bigint as n
                  from levels_{pair.Smaller.Code} as s
                  group by 1, 2, 3)
                """),
            """
            messages_m as materialized (
              select m.tenant_id, m.grouping, m.bucket, m.level, m.hash, m.number,
                sum(m.n)::bigint as n, min(m.first_seen) as first_seen, max(m.last_seen) as last_seen
              from minutes as m
              group by 1, 2, 3, 4, 5, 6)
            """,
            .. Pairs(Step.OfMessages).Select(pair =>
                $"""
                messages_{pair.Step.Code} as materialized (
                  select s.tenant_id, s.grouping, {pair.Step.BucketOf("s.bucket")} as bucket, s.level, s.hash, s.number,
                    sum(s.n)::bigint as n, min(s.first_seen) as first_seen, max(s.last_seen) as last_seen
                  from messages_{pair.Smaller.Code} as s
                  group by 1, 2, 3, 4, 5, 6)
                """),
            """
            groups_m as materialized (
              select m.tenant_id, m.grouping, m.number, m.bucket, m.level, m.release, m.environment,
                sum(m.n)::bigint as n
              from minutes as m
              group by 1, 2, 3, 4, 5, 6, 7)
            """,
            .. Pairs(Step.OfGroups).Select(pair =>
                $"""
                groups_{pair.Step.Code} as materialized (
                  select s.tenant_id, s.grouping, s.number, {pair.Step.BucketOf("s.bucket")} as bucket, s.level,
                    s.release, s.environment, sum(s.n)::bigint as n
                  from groups_{pair.Smaller.Code} as s
                  group by 1, 2, 3, 4, 5, 6, 7)
                """),
            .. changes.Select((change, i) => $"changed_{i} as ({change} returning 1)"),
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
        const string columns =
            "m.tenant_id, m.grouping, m.bucket, m.level, m.hash, m.number, m.n, m.first_seen, m.last_seen";
        return $"""
        insert into {tables.Messages} as kept
          (tenant_id, grouping, step, bucket, level, message_hash, number, count, first_seen, last_seen)
        select s.tenant_id, s.grouping, s.step, s.bucket, s.level, s.hash, s.number, s.n, s.first_seen, s.last_seen
        from ({Union(steps, step => $"select '{step.Code}' as step, {columns} from messages_{step.Code} as m")}) as s
        order by 1, 2, 3, 4, 5, 6, 7
        """;
    }

    private static string InsertGroupCounts(CounterTables tables)
    {
        const string columns =
            "g.tenant_id, g.grouping, g.number, g.bucket, g.level, g.release, g.environment, g.n";
        var steps = Union(Step.OfGroups, step => $"select '{step.Code}' as step, {columns} from groups_{step.Code} as g");
        return $"""
        insert into {tables.GroupCounts} as kept
          (tenant_id, grouping, number, step, bucket, level, release, environment, count)
        select s.tenant_id, s.grouping, s.number, s.step, s.bucket, s.level, s.release, s.environment, s.n
        from ({steps}) as s
        order by 1, 2, 3, 4, 5, 6, 7, 8
        """;
    }

    private static string InsertTexts(CounterTables tables) =>
        $"""
        insert into {tables.Texts} (message_hash, message)
        select m.hash, min(m.message) from minutes as m group by 1 order by 1
        """;

    private static string Releases(CounterTables tables) =>
        $"""
        insert into {tables.Releases} as kept (tenant_id, release, first_seen, last_seen, count)
        select m.tenant_id, m.release, min(m.first_seen), max(m.last_seen), sum(m.n)::bigint
        from minutes as m
        where m.release <> ''
        group by 1, 2 order by 1, 2
        """;

    private static string Union(Step[] steps, Func<Step, string> select) =>
        string.Join(" union all ", steps.Select(select));
}
