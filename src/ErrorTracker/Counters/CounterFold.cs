namespace ErrorTracker.Counters;

/// <summary>
/// The counters' definition, the only one there is: SQL that folds the events of a range of the log, (floor, ceiling] by sequence, into the
/// tables. Live running, catching up and rebuilding all execute it.
/// </summary>
/// <remarks>
/// It takes text from JSONB and casts nothing, so that no event can stop it, and reads no clock but the events' own. Each statement
/// answers a row: Marten detects a lost race for the shard by a batch that affected no rows, which a plain upsert would hide.
/// </remarks>
public static class CounterFold
{
    /// <summary>Stands for the floor, then the ceiling.</summary>
    public const char Placeholder = '^';

    /// <summary>16 bytes of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) => $"substring(sha256(convert_to({message}, 'UTF8')) for 16)";

    private const string Range = "from errortracker.mt_events where seq_id > ^ and seq_id <= ^ and type = 'error_occurred'";

    private static string StepsOf(IEnumerable<Step> steps) => string.Join(", ", steps.Select(s => $"('{s.Code}', '{s.Unit}')"));

    public static readonly string[] Statements =
    [
        $"""
        with folded as materialized (
          select tenant_id, date_trunc('minute', timestamp, 'UTC') as at, coalesce(data->>'level', '') as level, count(*) as n {Range} group by 1, 2, 3),
        kept as (
          insert into {CounterTables.Levels} as kept (tenant_id, step, bucket, level, count)
          select tenant_id, step, date_trunc(unit, at, 'UTC'), level, sum(n)
          from folded cross join (values {StepsOf(Step.OfLevels)}) as steps(step, unit)
          group by 1, 2, 3, 4 order by 1, 2, 3, 4
          on conflict (tenant_id, step, bucket, level) do update set count = kept.count + excluded.count
          returning 1)
        select count(*) from kept
        """,
        $"""
        with folded as materialized (
          select tenant_id, date_trunc('hour', timestamp, 'UTC') as at, coalesce(data->>'level', '') as level,
                 {HashOf("coalesce(data->>'message', '')")} as hash, min(coalesce(data->>'message', '')) as message, count(*) as n, max(timestamp) as last_seen
          {Range} group by 1, 2, 3, 4),
        texts as (
          insert into {CounterTables.Texts} (message_hash, message)
          select hash, min(message) from folded group by 1 order by 1
          on conflict (message_hash) do nothing
          returning 1),
        kept as (
          insert into {CounterTables.Messages} as kept (tenant_id, step, bucket, level, message_hash, count, last_seen)
          select tenant_id, step, date_trunc(unit, at, 'UTC'), level, hash, sum(n), max(last_seen)
          from folded cross join (values {StepsOf(Step.OfMessages)}) as steps(step, unit)
          group by 1, 2, 3, 4, 5 order by 1, 2, 3, 4, 5
          on conflict (tenant_id, step, bucket, level, message_hash)
          do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
          returning 1)
        select count(*) from kept
        """,
    ];
}
