using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// How the counters are proved. The log is counted event by event, with expressions and clock arithmetic written out
/// here: none is taken from the fold, whose faults would otherwise be repeated.
/// </summary>
internal static class CountersProof
{
    /// <summary>The steps of each table, by code, and their length in seconds.</summary>
    private static readonly (string Code, int Seconds)[]
        OfLevels = [("m", 60), ("q", 900), ("h", 3_600), ("d", 86_400)],
        OfMessages =
        [
            ("m", 60), ("h", 3_600), ("6h", 21_600), ("d", 86_400),
            ("2d", 172_800), ("4d", 345_600), ("8d", 691_200), ("16d", 1_382_400),
        ];

    public static Proof Of(CounterTables tables) => new(Recount,
    [
        .. OfLevels.Select(step => Compare(step, LevelsOf(tables, step.Code, step.Seconds))),
        .. OfMessages.Select(step => Compare(step, MessagesOf(tables, step.Code, step.Seconds))),
        new Comparison("text", TextsOf(tables), Bucket: null),
    ]);

    private const string Recount =
        $"""
        select minutes.tenant_id, minutes.minute, minutes.level, minutes.message,
          left(encode(sha256(convert_to(minutes.message, 'UTF8')), 'hex'), 32)::uuid as hash,
          minutes.n, minutes.last_seen
        from (
          select e.tenant_id,
            date_trunc('minute', e.timestamp, 'UTC') as minute,
            substr(coalesce(e.data ->> 'level', ''), 1, 20) as level,
            coalesce(e.data ->> 'message', '') as message,
            count(*) as n,
            max(e.timestamp) as last_seen
          from {LogSchema.Name}.mt_events as e
          where e.seq_id <= @folded
            and e.type = 'error_occurred'
            and e.timestamp >= '0001-01-01 00:00Z'
            and e.timestamp < '9999-12-01 00:00Z'
            and (@since is null or e.timestamp >= @since)
            and (@until is null or e.timestamp < @until)
          group by 1, 2, 3, 4) as minutes
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

    /// <summary>Events by level and message, and when the last of them was received.</summary>
    private static string MessagesOf(CounterTables tables, string step, int seconds) =>
        $"""
        select tenant_id, bucket,
          concat_ws(' ', level, hash, case
            when kept.n = recounted.n and kept.last_seen <> recounted.last_seen then 'last seen ' || kept.last_seen
          end) as subject,
          coalesce(kept.n, 0) as counted,
          coalesce(recounted.n, 0) as recounted,
          coalesce(kept.n, 0) = coalesce(recounted.n, 0)
            and kept.last_seen is not distinct from recounted.last_seen as agrees
        from (
          select r.tenant_id, r.bucket, r.level, r.hash, sum(r.n)::bigint as n, max(r.last_seen) as last_seen
          from (
            select c.tenant_id, c.bucket, c.level, c.message_hash as hash, c.count as n, c.last_seen
            from {tables.Messages} as c
            where c.step = '{step}'
            union all
            select o.tenant_id, {BucketOf("o.bucket", seconds)}, o.level, o.message_hash, o.count, o.last_seen
            from {tables.OpenMinutes} as o) as r
          where @since is null or r.bucket >= @since
          group by 1, 2, 3, 4) as kept
        full join (
          select r.tenant_id, {BucketOf("r.minute", seconds)} as bucket, r.level, r.hash,
            sum(r.n)::bigint as n, max(r.last_seen) as last_seen
          from recount as r
          group by 1, 2, 3, 4) as recounted
        using (tenant_id, bucket, level, hash)
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

    /// <summary>Whole multiples of a length since the epoch.</summary>
    private static string BucketOf(string time, int seconds) =>
        $"to_timestamp(floor(extract(epoch from {time}) / {seconds}) * {seconds})";
}
