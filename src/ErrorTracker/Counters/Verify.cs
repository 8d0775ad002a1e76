using System.Data;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>A counter that differs from a recount of the log.</summary>
/// <param name="Subject">The level; for a message its hash follows.</param>
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
        select tenant_id, to_timestamp(floor(extract(epoch from minute) / {step.Length.TotalSeconds}) * {step.Length.TotalSeconds}) as bucket, {columns}, sum(n)::bigint as n
        from recount group by 1, 2, {columns}
        """;

    /// <param name="since">Start of the window; null: of the log.</param>
    /// <param name="until">End of the window, not part of it; null: of the log.</param>
    /// <param name="most">How many differences to return.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>How many events were recounted and how many counters compared, and the differences.</returns>
    public async Task<(long Events, long Compared, List<Difference> Differences)> RunAsync(DateTimeOffset? since, DateTimeOffset? until, int most, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
        var folded = 0L;
        await ExecuteAsync($"lock table {string.Join(", ", CounterTables.Current.Names)} in access share mode; set local jit = off; set local work_mem = '256MB'");
        folded = await CounterShard.Current.ReadProgressAsync(connection, stop);
        await ExecuteAsync(
            $"""
            create temporary table recount on commit drop as
            select tenant_id, date_trunc('minute', timestamp, 'UTC') as minute, {CounterFold.Level} as level, {CounterFold.HashOf(CounterFold.Message)} as hash, count(*) as n
            from {CounterTables.Schema}.mt_events
            where seq_id <= @folded and {CounterFold.IsError} and timestamp >= @since and timestamp < @until group by 1, 2, 3, 4
            """);
        var events = await ScalarAsync("select sum(n)::bigint from recount") as long? ?? 0;

        var (compared, differences) = (0L, new List<Difference>());
        foreach (var (table, subject, steps) in new[] { (CounterTables.Current.Levels, "level", Step.OfLevels), (CounterTables.Current.Messages, "level, hash", Step.OfMessages) })
            foreach (var step in steps)
                compared += await CompareAsync(table, subject, step, differences);
        return (events, compared, differences);

        async Task<long> CompareAsync(string table, string subject, Step step, List<Difference> found)
        {
            var kept = subject == "level" ? "level" : "level, message_hash as hash";
            await using var command = Command(
                $"""
                with compared as (
                  select tenant_id, bucket, {subject}, coalesce(kept.n, 0) as counted, coalesce(recounted.n, 0) as recounted
                  from (select tenant_id, bucket, {kept}, count as n from {table} where step = '{step.Code}' and bucket >= @since and bucket < @until) as kept
                  full join ({Recount(step, subject)}) as recounted using (tenant_id, bucket, {subject})
                  where bucket >= @since and (@until = 'infinity' or bucket + interval '{step.Length.TotalSeconds} seconds' <= @until))
                select (select count(*) from compared), tenant_id, bucket, concat_ws(' ', {subject}), counted, recounted
                from (select 1) as one left join (select * from compared where counted <> recounted order by 1, 2 limit {most - found.Count}) as differing on true
                """);
            await using var reader = await command.ExecuteReaderAsync(stop);
            var total = 0L;
            while (await reader.ReadAsync(stop))
            {
                total = reader.GetInt64(0);
                if (!reader.IsDBNull(1)) found.Add(new(reader.GetString(1), step.Code, reader.GetFieldValue<DateTimeOffset>(2), reader.GetString(3), reader.GetInt64(4), reader.GetInt64(5)));
            }
            return total;
        }

        NpgsqlCommand Command(string sql)
        {
            var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            command.Parameters.AddWithValue("folded", folded);
            command.Parameters.AddWithValue("since", since ?? DateTimeOffset.MinValue);
            command.Parameters.AddWithValue("until", until ?? DateTimeOffset.MaxValue);
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
