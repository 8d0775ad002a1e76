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
    /// <summary>What is counted as an event's level and message, as SQL on a row of the log.</summary>
    public const string Level = "left(coalesce(data->>'level', ''), 20)", Message = "coalesce(data->>'message', '')";

    /// <summary>What an error of the log is, as SQL. PostgreSQL knows times that no clock of ours can show, and on which its own arithmetic fails.</summary>
    public const string IsError = "type = 'error_occurred' and timestamp >= timestamptz '0001-01-01 00:00Z' and timestamp < timestamptz '9999-12-01 00:00Z'";

    /// <summary>128 bits of SHA-256: equal for equal messages, and no one can make two messages meet.</summary>
    public static string HashOf(string message) => $"encode(substring(sha256(convert_to({message}, 'UTF8')) for 16), 'hex')::uuid";

    /// <summary>For one transaction: room to group a chunk without writing it to disk, and no compiler, which costs more than it saves.</summary>
    public const string Settings = "select set_config('work_mem', '64MB', true), set_config('jit', 'off', true)";

    /// <summary>The fold into these tables of the range ($1, $2]. Events are grouped by minute once; each larger step is summed up from the one below it.</summary>
    public static string Into(CounterTables tables) =>
        $"""
        with minutes as materialized (
          select tenant_id, {Step.Minute.BucketOf("timestamp")} as bucket, {Level} as level, {Message} as message, count(*) as n, max(timestamp) as last_seen
          from {CounterTables.Schema}.mt_events where seq_id > $1 and seq_id <= $2 and {IsError} group by 1, 2, 3, 4),
        messages_m as materialized (
          select tenant_id, bucket, level, {HashOf("message")} as hash, message, n, last_seen from minutes),
        levels_m as materialized (select tenant_id, bucket, level, sum(n)::bigint as n from minutes group by 1, 2, 3),
        {Ladder("levels", Step.OfLevels, "level", "sum(n)::bigint as n")},
        {Ladder("messages", Step.OfMessages, "level, hash", "sum(n)::bigint as n, max(last_seen) as last_seen")},
        levels as (
          insert into {tables.Levels} as kept (tenant_id, step, bucket, level, count)
          select tenant_id, step, bucket, level, n from ({Union("levels", Step.OfLevels, "tenant_id, bucket, level, n")}) as steps order by 1, 2, 3, 4
          on conflict (tenant_id, step, bucket, level) do update set count = kept.count + excluded.count
          returning 1),
        texts as (
          insert into {tables.Texts} (message_hash, message)
          select hash, min(message) from messages_m group by 1 order by 1
          on conflict (message_hash) do nothing
          returning 1),
        messages as (
          insert into {tables.Messages} as kept (tenant_id, step, bucket, level, message_hash, count, last_seen)
          select tenant_id, step, bucket, level, hash, n, last_seen
          from ({Union("messages", Step.OfMessages, "tenant_id, bucket, level, hash, n, last_seen")}) as steps order by 1, 2, 3, 4, 5
          on conflict (tenant_id, step, bucket, level, message_hash)
          do update set count = kept.count + excluded.count, last_seen = greatest(kept.last_seen, excluded.last_seen)
          returning 1)
        select
        """;

    private static string Ladder(string name, Step[] steps, string subject, string counted) => string.Join(",\n", steps.Zip(steps.Skip(1),
        (step, below) => $"{name}_{step.Code} as materialized (select tenant_id, {step.BucketOf("bucket")} as bucket, {subject}, {counted} from {name}_{below.Code} group by tenant_id, 2, {subject})").Reverse());

    private static string Union(string name, Step[] steps, string columns) => string.Join(" union all ", steps.Select(s => $"select '{s.Code}' as step, {columns} from {name}_{s.Code}"));
}
