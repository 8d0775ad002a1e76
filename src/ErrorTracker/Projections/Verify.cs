using System.Data;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Projections;

/// <summary>A counter that differs from a recount of the log.</summary>
/// <param name="Subject">The level; for a message its hash follows, and what else differs than the count.</param>
internal sealed record Difference(string Tenant, string Step, DateTimeOffset Bucket, string Subject, long Counted, long Recounted);

/// <summary>
/// Recounts the log, event by event and by clock arithmetic of its own, and compares every bucket of every step that lies in a window with the counters,
/// in one snapshot.
/// </summary>
internal sealed class Verify(NpgsqlDataSource database)
{
    /// <summary>Sums of seconds since the epoch, not the fold's date_bin: a fault there would otherwise be repeated here.</summary>
    private static string Recount(Step step, string columns) =>
        $"""
        select tenant_id, to_timestamp(floor(extract(epoch from minute) / {step.Length.TotalSeconds}) * {step.Length.TotalSeconds}) as bucket, {columns}, sum(n)::bigint as n, max(last_seen) as last_seen
        from recount group by 1, 2, {columns}
        """;

    /// <param name="since">Start of the window; null: of the log.</param>
    /// <param name="until">End of the window, not part of it; null: of the log.</param>
    /// <param name="most">How many differences to return.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>How many events were recounted and counters compared, how many events are not folded yet, and the differences.</returns>
    public async Task<(long Events, long Compared, long Unfolded, List<Difference> Differences)> RunAsync(DateTimeOffset? since, DateTimeOffset? until, int most, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
        var folded = 0L;
        await ExecuteAsync($"lock table {string.Join(", ", CounterTables.Current.Names)} in access share mode; set local jit = off; set local work_mem = '256MB'");
        folded = await CounterShard.Current.ReadProgressAsync(connection, stop);
        await ExecuteAsync(
            $"""
            create temporary table recount on commit drop as
            select minutes.*, {CounterFold.HashOf("message")} as hash from (
              select tenant_id, date_trunc('minute', timestamp, 'UTC') as minute, {LogRow.Level} as level, {LogRow.Message} as message, count(*) as n, max(timestamp) as last_seen
              from {LogSchema.Name}.mt_events
              where seq_id <= @folded and {LogRow.IsError} and (@since is null or timestamp >= @since) and (@until is null or timestamp < @until) group by 1, 2, 3, 4) as minutes
            """);
        var events = await ScalarAsync("select sum(n)::bigint from recount") as long? ?? 0;
        var unfolded = (long)(await ScalarAsync($"select count(*) from {LogSchema.Name}.mt_events where seq_id > @folded and {LogRow.IsError}"))!;

        var (compared, differences) = (0L, new List<Difference>());
        foreach (var step in Step.OfLevels) compared += await CompareAsync(CounterTables.Current.Levels, step, "level", "level", last: "null::timestamptz");
        foreach (var step in Step.OfMessages) compared += await CompareAsync(CounterTables.Current.Messages, step, "level, hash", "level, message_hash as hash", last: "last_seen");
        compared += await CollectAsync(
            $"""
            with compared as (
              select distinct on (hash) tenant_id, minute, hash, recount.message, kept.message as kept from recount
              left join (select message_hash, message from {CounterTables.Current.Texts} union all select message_hash, message from {CounterTables.Current.OpenMinutes}) as kept on message_hash = hash
              order by hash, recount.message is distinct from kept.message desc)
            select (select count(*) from compared), tenant_id, minute, 'text of ' || hash, (kept is not null)::int::bigint, 1::bigint
            from (select 1) as one left join (select * from compared where message is distinct from kept order by hash limit @most) as differing on true
            """, "text");
        return (events, compared, unfolded, differences);

        Task<long> CompareAsync(string table, Step step, string subject, string kept, string last) => CollectAsync(
            $"""
            with compared as (
              select tenant_id, bucket, {subject}, coalesce(kept.n, 0) as counted, coalesce(recounted.n, 0) as recounted, kept.last, {last.Replace("last_seen", "recounted.last_seen")} as last_recounted
              from (
                select tenant_id, bucket, {subject}, sum(n)::bigint as n, max(last) as last from (
                  select tenant_id, bucket, {kept}, count as n, {last} as last from {table} where step = '{step.Code}'
                  union all
                  select tenant_id, {step.BucketOf("bucket")}, {kept}, count, {last} from {CounterTables.Current.OpenMinutes}) as rows
                where (@since is null or bucket >= @since) group by tenant_id, bucket, {subject}) as kept
              full join ({Recount(step, subject)}) as recounted using (tenant_id, bucket, {subject})
              where (@since is null or bucket >= @since) and (@until is null or bucket + interval '{step.Length.TotalSeconds} seconds' <= @until))
            select (select count(*) from compared), tenant_id, bucket, concat_ws(' ', {subject}, case when counted = recounted then 'last seen ' || last end), counted, recounted
            from (select 1) as one
            left join (select * from compared where counted <> recounted or last is distinct from last_recounted order by 1, 2 limit @most) as differing on true
            """, step.Code);

        async Task<long> CollectAsync(string sql, string step)
        {
            await using var command = Command(sql);
            command.Parameters.AddWithValue("most", most - differences.Count);
            await using var reader = await command.ExecuteReaderAsync(stop);
            var total = 0L;
            while (await reader.ReadAsync(stop))
            {
                total = reader.GetInt64(0);
                if (!reader.IsDBNull(1)) differences.Add(new(reader.GetString(1), step, reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt64(5)));
            }
            return total;
        }

        NpgsqlCommand Command(string sql)
        {
            var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            command.Parameters.AddWithValue("folded", folded);
            command.Parameters.Add(new("since", NpgsqlDbType.TimestampTz) { Value = (object?)since ?? DBNull.Value });
            command.Parameters.Add(new("until", NpgsqlDbType.TimestampTz) { Value = (object?)until ?? DBNull.Value });
            return command;
        }

        async Task<object?> ScalarAsync(string sql)
        {
            await using var command = Command(sql);
            return await command.ExecuteScalarAsync(stop);
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = sql.Contains('@') ? Command(sql) : new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(stop);
        }
    }
}
