using ErrorTracker.Configuration;
using ErrorTracker.Log;

namespace ErrorTracker.Counters;

/// <summary>
/// The counters' definition, the only one there is: SQL that folds the events of a range of the log, (floor, ceiling] by sequence, into the
/// tables. Live running, catching up and rebuilding all execute it.
/// </summary>
/// <remarks>
/// It takes text from JSONB, of bounded length where it is indexed, and casts nothing, so that no event can stop it, and it reads no clock but
/// the events' own.
/// </remarks>
public static class CounterFold
{
    /// <summary>128 bits of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) => $"encode(substring(sha256(convert_to({message}, 'UTF8')) for 16), 'hex')::uuid";

    /// <summary>
    /// For one transaction: room to group a chunk without writing it to disk, no compiler, which costs more than it saves, and a limit to waiting for
    /// whoever locks a table, so that it shows.
    /// </summary>
    public const string Settings = "select set_config('work_mem', '64MB', true), set_config('jit', 'off', true), set_config('lock_timeout', '2s', true)";

    /// <summary>The events of a range, (floor, ceiling], grouped by the smallest bucket: what all counters are made of.</summary>
    /// <param name="floor">As SQL, like <paramref name="ceiling"/>.</param>
    public static string Minutes(string floor, string ceiling) =>
        $"""
        select tenant_id, bucket, level, {HashOf("message")} as hash, message, n, last_seen from (
          select tenant_id, {Step.Minute.BucketOf("timestamp")} as bucket, {LogRow.Level} as level, {LogRow.Message} as message, count(*) as n, max(timestamp) as last_seen
          from {LogSchema.Name}.mt_events where seq_id > {floor} and seq_id <= {ceiling} and {LogRow.IsError} group by 1, 2, 3, 4) as grouped
        """;

    /// <summary>Adds up parts that <see cref="Minutes"/> has made of ranges.</summary>
    public static string Sum(IEnumerable<string> parts) =>
        $"""
        select tenant_id, bucket, level, hash, min(message) as message, sum(n)::bigint as n, max(last_seen) as last_seen
        from ({string.Join(" union all ", parts.Select(part => $"table {part}"))}) as parts group by 1, 2, 3, 4
        """;

    /// <summary>Adds what <paramref name="minutes"/> selects to these tables. Each larger step is summed up from the one below it.</summary>
    /// <param name="tables">Where to.</param>
    /// <param name="minutes">Made by <see cref="Minutes"/>, <see cref="Sum"/> or <see cref="Close"/>.</param>
    public static string Into(CounterTables tables, string minutes) => With(minutes,
        Levels(tables, Step.OfLevels) + " on conflict (tenant_id, step, bucket, level) do update set count = kept.count + excluded.count",
        Texts(tables) + " on conflict (message_hash) do nothing",
        Messages(tables, Step.OfMessages) + """
             on conflict (tenant_id, step, bucket, level, message_hash)
            do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
            """);

    /// <summary>The same for tables that are empty and have no keys yet, in two statements that may run at once: most rows are the messages of minutes.</summary>
    public static string[] IntoEmpty(CounterTables tables, string minutes) =>
    [
        With(minutes, Messages(tables, [Step.Minute])),
        With(minutes, Levels(tables, Step.OfLevels), Texts(tables), Messages(tables, [.. Step.OfMessages.Where(step => step != Step.Minute)])),
    ];

    /// <summary>Adds what <paramref name="minutes"/> selects to the open minutes.</summary>
    public static string IntoOpen(CounterTables tables, string minutes) =>
        $"""
        with minutes as materialized ({minutes}),
        opened as (
          insert into {tables.OpenBuckets} (bucket) select distinct minutes.bucket from minutes order by 1
          on conflict (bucket) do nothing)
        insert into {tables.OpenMinutes} as kept (bucket, tenant_id, level, message_hash, message, count, last_seen)
        select bucket, tenant_id, level, hash, message, n, last_seen from minutes order by 1, 2, 4, 3
        on conflict (bucket, tenant_id, message_hash, level)
        do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
        """;

    /// <summary>Minutes that are over, as SQL on the open ones called b. An event that is late opens its minute again.</summary>
    public const string IsOver = "b.bucket < now() - interval '65 seconds'";

    /// <summary>Takes some rows of the open minutes that are over, as <see cref="Minutes"/> would select them.</summary>
    public static string Close(CounterTables tables, int most) =>
        $"""
        delete from {tables.OpenMinutes} where ctid = any(array(
          select m.place from {tables.OpenBuckets} as b
          cross join lateral (select o.ctid as place from {tables.OpenMinutes} as o where o.bucket = b.bucket limit {most}) as m
          where {IsOver} limit {most}))
        returning tenant_id, bucket, level, message_hash as hash, message, count as n, last_seen
        """;

    /// <summary>Minutes that are over and of which no row is left are no longer open.</summary>
    public static string Forget(CounterTables tables) =>
        $"""
        delete from {tables.OpenBuckets} as b
        where {IsOver} and not exists (select from {tables.OpenMinutes} as o where o.bucket = b.bucket)
        """;

    /// <summary>What a statement does not use of these it does not compute.</summary>
    private static string With(string minutes, params string[] inserts) =>
        $"""
        with messages_m as materialized ({minutes}),
        levels_m as materialized (select tenant_id, bucket, level, sum(n)::bigint as n from messages_m group by 1, 2, 3),
        {Ladder("levels", Step.OfLevels, "level", "sum(n)::bigint as n")},
        {Ladder("messages", Step.OfMessages, "level, hash", "sum(n)::bigint as n, max(last_seen) as last_seen")},
        {string.Join(",\n", inserts.Select((insert, i) => $"added_{i} as ({insert} returning 1)"))}
        select
        """;

    private static string Levels(CounterTables tables, Step[] steps) =>
        $"""
        insert into {tables.Levels} as kept (tenant_id, step, bucket, level, count)
        select tenant_id, step, bucket, level, n from ({Union("levels", steps, "tenant_id, bucket, level, n")}) as steps order by 1, 2, 3, 4
        """;

    private static string Texts(CounterTables tables) => $"insert into {tables.Texts} (message_hash, message) select hash, min(message) from messages_m group by 1 order by 1";

    private static string Messages(CounterTables tables, Step[] steps) =>
        $"""
        insert into {tables.Messages} as kept (tenant_id, step, bucket, level, message_hash, count, last_seen)
        select tenant_id, step, bucket, level, hash, n, last_seen from ({Union("messages", steps, "tenant_id, bucket, level, hash, n, last_seen")}) as steps order by 1, 2, 3, 4, 5
        """;

    private static string Ladder(string name, Step[] steps, string subject, string counted) => string.Join(",\n", steps.Zip(steps.Skip(1),
        (step, below) => $"{name}_{step.Code} as materialized (select tenant_id, {step.BucketOf("bucket")} as bucket, {subject}, {counted} from {name}_{below.Code} group by tenant_id, 2, {subject})").Reverse());

    private static string Union(string name, Step[] steps, string columns) => string.Join(" union all ", steps.Select(s => $"select '{s.Code}' as step, {columns} from {name}_{s.Code}"));
}
