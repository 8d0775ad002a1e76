namespace ErrorTracker.Counters;

/// <summary>
/// The counters' definition, the only one there is: SQL that folds the events of a range of the log, (floor, ceiling] by sequence, into the
/// tables. Live running, catching up and rebuilding all execute it.
/// </summary>
/// <remarks>
/// It takes text from JSONB, of bounded length where it is indexed, and casts nothing, so that no event can stop it, and it reads no clock but
/// the events' own. It answers a row: Marten detects a lost race for the shard by a batch that affected no rows, which a plain upsert would hide.
/// </remarks>
public static class CounterFold
{
    /// <summary>Stands for the floor, then the ceiling.</summary>
    public const char Placeholder = '^';

    /// <summary>What is counted as an event's level and message, as SQL on a row of the log.</summary>
    public const string Level = "left(coalesce(data->>'level', ''), 20)", Message = "coalesce(data->>'message', '')";

    /// <summary>What an event of the log is, as SQL.</summary>
    public const string IsError = "type = 'error_occurred'";

    /// <summary>128 bits of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) => $"encode(substring(sha256(convert_to({message}, 'UTF8')) for 16), 'hex')::uuid";

    /// <summary>The fold into these tables.</summary>
    public static string Into(CounterTables tables) =>
        $"""
        with events as materialized (
          select tenant_id, {Step.BucketOf("timestamp", "interval '1 minute'")} as at, {Level} as level, {Message} as message, count(*) as n, max(timestamp) as last_seen
          from {CounterTables.Schema}.mt_events where seq_id > ^ and seq_id <= ^ and {IsError} group by 1, 2, 3, 4),
        hashed as materialized (select *, {HashOf("message")} as hash from events),
        levels as (
          insert into {tables.Levels} as kept (tenant_id, step, bucket, level, count)
          select tenant_id, step, {Step.BucketOf("at", "length")}, level, sum(n)::bigint
          from events cross join (values {StepsOf(Step.OfLevels)}) as steps(step, length)
          group by 1, 2, 3, 4 order by 1, 2, 3, 4
          on conflict (tenant_id, step, bucket, level) do update set count = kept.count + excluded.count
          returning 1),
        texts as (
          insert into {tables.Texts} (message_hash, message)
          select hash, min(message) from hashed group by 1 order by 1
          on conflict (message_hash) do nothing
          returning 1),
        messages as (
          insert into {tables.Messages} as kept (tenant_id, step, bucket, level, message_hash, count, last_seen)
          select tenant_id, step, {Step.BucketOf("at", "length")}, level, hash, sum(n)::bigint, max(last_seen)
          from hashed cross join (values {StepsOf(Step.OfMessages)}) as steps(step, length)
          group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
          on conflict (tenant_id, step, bucket, level, message_hash)
          do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
          returning 1)
        select (select count(*) from levels) + (select count(*) from texts) + (select count(*) from messages)
        """;

    private static string StepsOf(IEnumerable<Step> steps) => string.Join(", ", steps.Select(s => $"('{s.Code}', interval '{s.Length.TotalSeconds} seconds')"));
}
