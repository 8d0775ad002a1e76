using System.Data;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Projections;

/// <summary>A counter that differs from a recount of the log.</summary>
/// <param name="Step">The label of the comparison that found it.</param>
/// <param name="Subject">What tells the counter apart, and what else differs than the count.</param>
internal sealed record Difference(
    string Tenant, string Step, DateTimeOffset Bucket, string Subject, long Counted, long Recounted);

/// <summary>What a verification found.</summary>
/// <param name="Events">Recounted.</param>
/// <param name="Compared">Counters.</param>
/// <param name="Unfolded">Events that the log holds beyond what is folded.</param>
internal sealed record Verdict(long Events, long Compared, long Unfolded, IReadOnlyList<Difference> Differences);

/// <summary>Runs the <see cref="Proof"/> of a projection in one snapshot of the database.</summary>
internal sealed class Verify(NpgsqlDataSource database)
{
    /// <param name="projection">To prove.</param>
    /// <param name="since">Start of the window; null: of the log.</param>
    /// <param name="until">End of the window, not part of it; null: of the log.</param>
    /// <param name="most">How many differences to return.</param>
    /// <param name="stop">Cuts it off.</param>
    public async Task<Verdict> RunAsync(
        Projection projection, DateTimeOffset? since, DateTimeOffset? until, int most, CancellationToken stop)
    {
        var shard = ProjectionShard.Of(projection);
        var proof = projection.Proof(shard.Tables.Names);
        await using var connection = await database.OpenConnectionAsync(stop);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
        await connection.ExecuteAsync(Begin(shard), stop);
        var folded = await LogProgress.ReadAsync(connection, shard.Row, stop);
        var run = new Run(connection, folded, since, until, stop);

        if (proof.Before is { } before) await before(connection, new(folded, since, until), stop);
        await run.ExecuteAsync($"create temporary table recount on commit drop as {proof.Recount}");
        var events = await connection.AskAsync<long>("select coalesce(sum(r.n), 0)::bigint from recount as r", stop);
        var unfolded = await connection.AskAsync<long>(Unfolded(folded), stop);
        var compared = 0L;
        var differences = new List<Difference>();
        foreach (var comparison in proof.Comparisons)
            compared += await run.CompareAsync(comparison, differences, most);
        return new(events, compared, unfolded, differences);
    }

    /// <summary>
    /// The tables are locked first, as LOCK takes no snapshot: a rebuild cannot put others in their place.
    /// </summary>
    private static string Begin(ProjectionShard shard) =>
        $"""
        lock table {shard.Tables.List} in access share mode;
        set local jit = off;
        set local work_mem = '256MB'
        """;

    private static string Unfolded(long folded) =>
        $"""
        select count(*) from {LogSchema.Name}.mt_events as e
        where e.seq_id > {folded} and {LogRow.IsError}
        """;

    /// <summary>One answer: how many were compared, and beside it each that differs, or nulls if none does.</summary>
    private static string Differing(Comparison comparison) =>
        $"""
        with compared as (
          select answer.* from (
            {comparison.Sql}
          ) as answer
          where {(comparison.Bucket is { } length ? InWindow(length) : "true")}),
        differing as (
          select compared.* from compared
          where not compared.agrees
          order by compared.tenant_id, compared.bucket, compared.subject
          limit @most)
        select total.n, differing.tenant_id, differing.bucket, differing.subject, differing.counted, differing.recounted
        from (select count(*) as n from compared) as total
        left join differing on true
        """;

    private static string InWindow(TimeSpan length) =>
        $"""
        (@since is null or answer.bucket >= @since)
        and (@until is null or answer.bucket + interval '{length.TotalSeconds} seconds' <= @until)
        """;

    /// <summary>Statements in the snapshot, with the parameters of a proof.</summary>
    private sealed class Run(
        NpgsqlConnection connection, long folded, DateTimeOffset? since, DateTimeOffset? until, CancellationToken stop)
    {
        public async Task ExecuteAsync(string sql)
        {
            await using var command = Ask(sql);
            await command.ExecuteNonQueryAsync(stop);
        }

        /// <returns>How many were compared.</returns>
        public async Task<long> CompareAsync(Comparison comparison, List<Difference> differences, int most)
        {
            await using var command = Ask(Differing(comparison));
            command.Parameters.AddWithValue("most", most - differences.Count);
            await using var row = await command.ExecuteReaderAsync(stop);
            var compared = 0L;
            while (await row.ReadAsync(stop))
            {
                compared = row.GetInt64(0);
                if (!row.IsDBNull(1)) differences.Add(Read(row, comparison.Step));
            }
            return compared;
        }

        private static Difference Read(NpgsqlDataReader row, string step) => new(
            Tenant: row.GetString(1),
            step,
            Bucket: row.GetFieldValue<DateTimeOffset>(2),
            Subject: row.GetString(3),
            Counted: row.GetInt64(4),
            Recounted: row.GetInt64(5));

        private NpgsqlCommand Ask(string sql) => new(sql, connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new("folded", folded),
                new("since", NpgsqlDbType.TimestampTz) { Value = (object?)since ?? DBNull.Value },
                new("until", NpgsqlDbType.TimestampTz) { Value = (object?)until ?? DBNull.Value },
            },
        };
    }
}
