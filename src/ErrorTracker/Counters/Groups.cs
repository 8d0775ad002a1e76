using ErrorTracker.Grouping;

namespace ErrorTracker.Counters;

/// <summary>
/// The SQL that numbers groups. In an application and grouping each key has a number, 1, 2, 3 …, by its first event in
/// the order of the log: a range is folded once and after those before it, so a number never depends on how the log was
/// cut into ranges. Numbers that were given when rules were adopted go before.
/// </summary>
internal static class Groups
{
    private const string Columns =
        """
        tenant_id, grouping, number, group_key, first_seq, first_seen, last_seen, count, text_seq, level, title, type,
        place
        """;

    private const string NoText = "0, '', '', '', ''";

    /// <summary>A query: the groups of <c>sent</c>.</summary>
    private static string Seen(string sent) =>
        $"""
        select s.tenant_id, s.grouping, s.group_key, min(s.first_seq) as first_seq, min(s.first_seen) as first_seen,
          max(s.last_seen) as last_seen, sum(s.n)::bigint as n
        from {sent} as s
        group by 1, 2, 3
        """;

    /// <summary>A query: the same with their numbers, those of new ones too.</summary>
    private static string Numbered(CounterTables tables) =>
        $"""
        select seen.*, known.number as known_number,
          coalesce(known.number, given.number,
            greatest({AssignedNumbers.LastOf("seen.tenant_id")}, (
              select max(g.number) from {tables.Groups} as g
              where g.tenant_id = seen.tenant_id and g.grouping = seen.grouping))
            + row_number() over (
              partition by seen.tenant_id, seen.grouping, coalesce(known.number, given.number) is null
              order by seen.first_seq)) as number
        from ({Seen("sent")}) as seen
        left join {tables.Groups} as known
          on known.tenant_id = seen.tenant_id and known.grouping = seen.grouping and known.group_key = seen.group_key
        left join {AssignedNumbers.Table} as given
          on given.tenant_id = seen.tenant_id and given.grouping = seen.grouping and given.group_key = seen.group_key
        """;

    /// <summary>A statement that adds to the groups of <c>sent</c>, and answers the numbers of all of them.</summary>
    public static string Upsert(CounterTables tables) =>
        $"""
        insert into {tables.Groups} as kept ({Columns})
        select g.tenant_id, g.grouping, g.number, g.group_key, g.first_seq, g.first_seen, g.last_seen, g.n, {NoText}
        from ({Numbered(tables)}) as g
        order by 1, 2, 3
        on conflict (tenant_id, grouping, group_key)
        do update set count = kept.count + excluded.count, text_seq = 0,
          first_seen = least(kept.first_seen, excluded.first_seen),
          last_seen = greatest(kept.last_seen, excluded.last_seen)
        returning kept.tenant_id, kept.grouping, kept.group_key, kept.number
        """;

    /// <summary>
    /// Subqueries, the last of which is <c>numbered</c>: groups of <c>sent</c> that are new get a row, which counts
    /// nothing yet, and the others stay as they are.
    /// </summary>
    public static string[] AddNew(CounterTables tables) =>
    [
        $"seen as materialized ({Numbered(tables)})",
        $"""
        made as (
          insert into {tables.Groups} ({Columns})
          select g.tenant_id, g.grouping, g.number, g.group_key, g.first_seq, g.first_seen, g.last_seen, 0, {NoText}
          from seen as g
          where g.known_number is null
          order by 1, 2, 3
          returning 1)
        """,
        "numbered as (select g.tenant_id, g.grouping, g.group_key, g.number from seen as g)",
    ];

    /// <summary>
    /// A query, <c>minutes</c>, of <c>sent</c> and the numbers of its groups. Each row of either has one in the other, so
    /// the join may as well be a full one, which is never made by comparing each with each. The planner, who knows
    /// nothing of events that have just come, would do that, and many new groups would hold the fold up.
    /// </summary>
    public static string NumberedMinutes(string numbered) => Join("sent", "full join", numbered);

    /// <summary>The same where all groups have their rows.</summary>
    public static string Numbered(CounterTables tables, string sent) => Join($"({sent})", "join", tables.Groups);

    /// <summary>A statement: the rows of all groups, into a table that is empty.</summary>
    public static string InsertAll(CounterTables tables, string sent) =>
        $"""
        insert into {tables.Groups} ({Columns})
        select g.tenant_id, g.grouping,
          coalesce(given.number,
            {AssignedNumbers.LastOf("g.tenant_id")}
            + row_number() over (partition by g.tenant_id, g.grouping, given.number is null order by g.first_seq)),
          g.group_key, g.first_seq, g.first_seen, g.last_seen, g.n, {NoText}
        from ({Seen($"({sent})")}) as g
        left join {AssignedNumbers.Table} as given
          on given.tenant_id = g.tenant_id and given.grouping = g.grouping and given.group_key = g.group_key
        order by 1, 2, 3
        """;

    /// <summary>A statement: adds <c>minutes</c> to the groups, whose text is to be looked at again.</summary>
    public static string AddMinutes(CounterTables tables) =>
        $"""
        update {tables.Groups} as kept
        set count = kept.count + added.n, text_seq = 0,
          first_seen = least(kept.first_seen, added.first_seen), last_seen = greatest(kept.last_seen, added.last_seen)
        from (
          select m.tenant_id, m.grouping, m.number, sum(m.n)::bigint as n, min(m.first_seen) as first_seen,
            max(m.last_seen) as last_seen
          from minutes as m
          group by 1, 2, 3) as added
        where kept.tenant_id = added.tenant_id and kept.grouping = added.grouping and kept.number = added.number
        """;

    private static string Join(string sent, string join, string numbered) =>
        $"""
        select s.tenant_id, s.grouping, n.number, s.bucket, s.level, s.hash, s.message, s.release, s.environment, s.n,
          s.first_seen, s.last_seen
        from {sent} as s
        {join} {numbered} as n
          on n.tenant_id = s.tenant_id and n.grouping = s.grouping and n.group_key = s.group_key
        """;
}
