using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// How the counters are proved. The log is counted event by event, with keys that are made again from the events, and
/// with expressions and clock arithmetic written out here: none is taken from the fold, whose faults would otherwise be
/// repeated.
/// </summary>
internal static class CountersProof
{
    /// <summary>The steps of each table, by code, and their length in seconds.</summary>
    private static readonly (string Code, int Seconds)[]
        OfLevels = [("m", 60), ("q", 900), ("h", 3_600), ("d", 86_400)],
        OfMessages = [("m", 60), ("h", 3_600), ("d", 86_400), ("8d", 691_200)],
        OfGroups = [("m", 60), ("h", 3_600), ("d", 86_400)];

    public static Proof Of(CounterTables tables) => new(Recount,
    [
        .. OfLevels.Select(step => Compare(step, LevelsOf(tables, step.Code, step.Seconds))),
        .. OfMessages.Select(step => Compare(step, MessagesOf(tables, step.Code, step.Seconds))),
        .. OfGroups.Select(step => Compare(step, GroupCountsOf(tables, step.Code, step.Seconds))),
        new Comparison("text", TextsOf(tables), Bucket: null),
        new Comparison("group", GroupsOf(tables), Bucket: null),
        new Comparison("release", ReleasesOf(tables), Bucket: null),
        new Comparison("facts", FactsOf(tables), Bucket: null),
    ])
    {
        Before = RecountedKeys.MakeAsync,
    };

    private static readonly string Recount =
        $"""
        select minutes.tenant_id, minutes.grouping, minutes.minute, minutes.level, minutes.message, minutes.group_key,
          minutes.release, minutes.environment,
          left(encode(sha256(convert_to(minutes.message, 'UTF8')), 'hex'), 32)::uuid as hash,
          minutes.n, minutes.first_seen, minutes.last_seen, minutes.first_seq
        from (
          select e.tenant_id, k.grouping, k.group_key,
            date_trunc('minute', e.timestamp, 'UTC') as minute,
            substr(coalesce(e.data ->> 'level', ''), 1, 20) as level,
            coalesce(e.data ->> 'message', '') as message,
            {Named("release", 200)} as release,
            {Named("environment", 64)} as environment,
            count(*) as n,
            min(e.timestamp) as first_seen,
            max(e.timestamp) as last_seen,
            min(e.seq_id) as first_seq
          from {LogSchema.Name}.mt_events as e
          join recounted_keys as k on k.seq_id = e.seq_id
          where e.seq_id <= @folded
            and e.type = 'error_occurred'
            and e.timestamp >= '0001-01-01 00:00Z'
            and e.timestamp < '9999-12-01 00:00Z'
            and (@since is null or e.timestamp >= @since)
            and (@until is null or e.timestamp < @until)
          group by 1, 2, 3, 4, 5, 6, 7, 8) as minutes
        """;

    /// <summary>A text that the event's context names, or else its tags; empty if neither does.</summary>
    private static string Named(string name, int most) =>
        $"""
        substr(coalesce(
          nullif(case jsonb_typeof(e.data -> 'context' -> '{name}')
            when 'string' then e.data -> 'context' ->> '{name}' end, ''),
          case jsonb_typeof(e.data -> 'tags' -> '{name}')
            when 'string' then e.data -> 'tags' ->> '{name}' end, ''), 1, {most})
        """;

    /// <summary>Whether a row is of the rules that its application has adopted.</summary>
    private static string Serves(string row) =>
        $"""
        {row}.grouping = coalesce((
          select a.grouping from {LogSchema.Name}.adopted_rules as a where a.tenant_id = {row}.tenant_id), 0)
        """;

    private static Comparison Compare((string Code, int Seconds) step, string sql) =>
        new(step.Code, sql, TimeSpan.FromSeconds(step.Seconds));

    /// <summary>Events by level: the rows of a step, with the open minutes, and the recount.</summary>
    private static string LevelsOf(CounterTables tables, string step, int seconds) =>
        $"""
        select tenant_id, bucket, level as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          coalesce(kept.n, 0) = coalesce(recounted.n, 0) as agrees
        from (
          select r.tenant_id, r.bucket, r.level, sum(r.n)::bigint as n
          from (
            select c.tenant_id, c.bucket, c.level, c.count as n
            from {tables.Levels} as c
            where c.step = '{step}'
            union all
            select o.tenant_id, {BucketOf("o.bucket", seconds)}, o.level, o.count
            from {tables.OpenMinutes} as o) as r
          where @since is null or r.bucket >= @since
          group by 1, 2, 3) as kept
        full join (
          select r.tenant_id, {BucketOf("r.minute", seconds)} as bucket, r.level, sum(r.n)::bigint as n
          from recount as r
          group by 1, 2, 3) as recounted
        using (tenant_id, bucket, level)
        """;

    /// <summary>Events by level, message and group, and when the first and the last of them were received.</summary>
    private static string MessagesOf(CounterTables tables, string step, int seconds) =>
        $"""
        select tenant_id, bucket,
          concat_ws(' ', level, hash, group_key, case
            when kept.n = recounted.n and kept.last_seen <> recounted.last_seen then 'last seen ' || kept.last_seen
            when kept.n = recounted.n and kept.first_seen <> recounted.first_seen then 'first seen ' || kept.first_seen
          end) as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          coalesce(kept.n, 0) = coalesce(recounted.n, 0)
            and kept.first_seen is not distinct from recounted.first_seen
            and kept.last_seen is not distinct from recounted.last_seen as agrees
        from (
          select r.tenant_id, r.bucket, r.level, r.hash, g.group_key, sum(r.n)::bigint as n,
            min(r.first_seen) as first_seen, max(r.last_seen) as last_seen
          from (
            select c.tenant_id, c.grouping, c.number, c.bucket, c.level, c.message_hash as hash, c.count as n,
              c.first_seen, c.last_seen
            from {tables.Messages} as c
            where c.step = '{step}' and {Serves("c")}
            union all
            select o.tenant_id, o.grouping, o.number, {BucketOf("o.bucket", seconds)}, o.level, o.message_hash, o.count,
              o.first_seen, o.last_seen
            from {tables.OpenMinutes} as o
            where {Serves("o")}) as r
          left join {tables.Groups} as g using (tenant_id, grouping, number)
          where @since is null or r.bucket >= @since
          group by 1, 2, 3, 4, 5) as kept
        full join (
          select r.tenant_id, {BucketOf("r.minute", seconds)} as bucket, r.level, r.hash, r.group_key,
            sum(r.n)::bigint as n, min(r.first_seen) as first_seen, max(r.last_seen) as last_seen
          from recount as r
          group by 1, 2, 3, 4, 5) as recounted
        using (tenant_id, bucket, level, hash, group_key)
        """;

    /// <summary>Events by group, level, release and environment.</summary>
    private static string GroupCountsOf(CounterTables tables, string step, int seconds) =>
        $"""
        select tenant_id, bucket,
          concat_ws(' ', 'group', group_key, level, release, environment) as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          coalesce(kept.n, 0) = coalesce(recounted.n, 0) as agrees
        from (
          select r.tenant_id, r.bucket, g.group_key, r.level, r.release, r.environment, sum(r.n)::bigint as n
          from (
            select c.tenant_id, c.grouping, c.number, c.bucket, c.level, c.release, c.environment, c.count as n
            from {tables.GroupCounts} as c
            where c.step = '{step}' and {Serves("c")}
            union all
            select o.tenant_id, o.grouping, o.number, {BucketOf("o.bucket", seconds)}, o.level, o.release,
              o.environment, o.count
            from {tables.OpenMinutes} as o
            where {Serves("o")}) as r
          left join {tables.Groups} as g using (tenant_id, grouping, number)
          where @since is null or r.bucket >= @since
          group by 1, 2, 3, 4, 5, 6) as kept
        full join (
          select r.tenant_id, {BucketOf("r.minute", seconds)} as bucket, r.group_key, r.level, r.release,
            r.environment, sum(r.n)::bigint as n
          from recount as r
          group by 1, 2, 3, 4, 5, 6) as recounted
        using (tenant_id, bucket, group_key, level, release, environment)
        """;

    /// <summary>
    /// The text of each message that was recounted is kept, with its texts or with an open minute, and is the same.
    /// </summary>
    private static string TextsOf(CounterTables tables) =>
        $"""
        select distinct on (r.hash) r.tenant_id, r.minute as bucket,
          'text of ' || r.hash as subject,
          (kept.message is not null)::int::bigint as counted,
          1::bigint as recounted,
          kept.message is not distinct from r.message as agrees
        from recount as r
        left join (
          select t.message_hash as hash, t.message from {tables.Texts} as t
          union all
          select o.message_hash, o.message from {tables.OpenMinutes} as o) as kept
        on kept.hash = r.hash
        order by r.hash, kept.message is distinct from r.message desc
        """;

    /// <summary>
    /// Groups with their numbers, which are those that were given with the rules, or those of their first events in the
    /// order of the log; their counts, and when their first and last events were received. Only of a whole log: a window
    /// does not tell what was before it.
    /// </summary>
    private static string GroupsOf(CounterTables tables) =>
        $"""
        select tenant_id, coalesce(kept.first_seen, recounted.first_seen) as bucket,
          concat_ws(' ', 'number', kept.number, 'of', group_key, 'is', recounted.number, case
            when kept.n = recounted.n and kept.last_seen <> recounted.last_seen then 'last seen ' || kept.last_seen
            when kept.n = recounted.n and kept.first_seen <> recounted.first_seen then 'first seen ' || kept.first_seen
          end) as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          coalesce(kept.n, 0) = coalesce(recounted.n, 0)
            and (kept.number, kept.first_seq, kept.first_seen, kept.last_seen)
              is not distinct from (recounted.number, recounted.first_seq, recounted.first_seen, recounted.last_seen)
            as agrees
        from (
          select g.tenant_id, g.group_key, g.number, g.first_seq, g.count + coalesce(o.n, 0) as n,
            least(g.first_seen, o.first_seen) as first_seen, greatest(g.last_seen, o.last_seen) as last_seen
          from {tables.Groups} as g
          left join (
            select m.tenant_id, m.grouping, m.number, sum(m.count)::bigint as n, min(m.first_seen) as first_seen,
              max(m.last_seen) as last_seen
            from {tables.OpenMinutes} as m
            group by 1, 2, 3) as o using (tenant_id, grouping, number)
          where {Serves("g")}) as kept
        full join (
          select r.tenant_id, r.group_key,
            coalesce(given.number,
              coalesce((
                select a.last_number from {LogSchema.Name}.adopted_rules as a where a.tenant_id = r.tenant_id), 0)
              + row_number() over (partition by r.tenant_id, given.number is null order by r.first_seq))::integer
              as number,
            r.first_seq, r.n, r.first_seen, r.last_seen
          from (
            select r.tenant_id, r.grouping, r.group_key, min(r.first_seq) as first_seq, sum(r.n)::bigint as n,
              min(r.first_seen) as first_seen, max(r.last_seen) as last_seen
            from recount as r
            group by 1, 2, 3) as r
          left join {LogSchema.Name}.assigned_numbers as given using (tenant_id, grouping, group_key)) as recounted
        using (tenant_id, group_key)
        where @since is null and @until is null
        """;

    /// <summary>Releases, as far as their minutes are closed, and the open minutes.</summary>
    private static string ReleasesOf(CounterTables tables) =>
        $"""
        select tenant_id, coalesce(kept.first_seen, recounted.first_seen) as bucket,
          concat_ws(' ', 'release', release) as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          (kept.n, kept.first_seen, kept.last_seen)
            is not distinct from (recounted.n, recounted.first_seen, recounted.last_seen) as agrees
        from (
          select c.tenant_id, c.release, sum(c.n)::bigint as n, min(c.first_seen) as first_seen,
            max(c.last_seen) as last_seen
          from (
            select r.tenant_id, r.release, r.count as n, r.first_seen, r.last_seen from {tables.Releases} as r
            union all
            select o.tenant_id, o.release, o.count, o.first_seen, o.last_seen from {tables.OpenMinutes} as o
            where o.release <> '') as c
          group by 1, 2) as kept
        full join (
          select r.tenant_id, r.release, sum(r.n)::bigint as n, min(r.first_seen) as first_seen,
            max(r.last_seen) as last_seen
          from recount as r
          where r.release <> ''
          group by 1, 2) as recounted
        using (tenant_id, release)
        where @since is null and @until is null
        """;

    /// <summary>
    /// The facts of events by their key: those that are made anew, and those that are kept apart or else beside the
    /// event. Readers find the events of a group by them.
    /// </summary>
    private static string FactsOf(CounterTables tables) =>
        $"""
        select told.tenant_id, min(told.timestamp) as bucket, 'facts of ' || told.group_key as subject,
          count(*) filter (where told.is_right) as counted,
          count(*) as recounted,
          count(*) filter (where told.is_right) = count(*) as agrees
        from (
          select e.tenant_id, e.timestamp, r.group_key,
            (coalesce(k.group_key, e.headers ->> 'key'), coalesce(k.release, e.headers ->> 'release', ''),
             coalesce(k.environment, e.headers ->> 'environment', ''), coalesce(k.received_at, e.timestamp))
            is not distinct from
            (r.group_key, {Named("release", 200)}, {Named("environment", 64)}, e.timestamp) as is_right
          from recounted_keys as r
          join {LogSchema.Name}.mt_events as e on e.seq_id = r.seq_id
          left join {tables.EventKeys} as k
            on k.tenant_id = e.tenant_id and k.grouping = r.grouping and k.seq_id = e.seq_id) as told
        group by told.tenant_id, told.group_key
        union all
        select k.tenant_id, k.received_at, 'facts of no event ' || k.seq_id, 1, 0, false
        from {tables.EventKeys} as k
        where {Serves("k")} and @since is null and @until is null
          and not exists (select from recounted_keys as r where r.seq_id = k.seq_id and r.grouping = k.grouping)
        """;

    /// <summary>Whole multiples of a length since the epoch.</summary>
    private static string BucketOf(string time, int seconds) =>
        $"to_timestamp(floor(extract(epoch from {time}) / {seconds}) * {seconds})";
}
