using ErrorTracker.Counters;
using ErrorTracker.Log;
using JasperFx.Events.Projections;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Projections;

/// <summary>How far a version of the counters is.</summary>
/// <param name="Name" example="Counters">Of the projection.</param>
/// <param name="Version" example="4">Raised whenever what is counted changes; each has tables of its own.</param>
/// <param name="Processed" example="10000000">Sequence number up to which the log is folded.</param>
/// <param name="HighWaterMark" example="10000000">Sequence number up to which the log may be folded: nothing below it is still being written.</param>
/// <param name="Lag" example="0">What is left to fold of the log. Statistics count it from there.</param>
/// <param name="State" example="caught up">
/// caught up, catching up, waiting (for a transaction that may still write events before those that are left),
/// rebuilding, interrupted (a rebuild that goes on when it is started again), failing (and tried again), or stopped:
/// for ten seconds no node has folded what is left.
/// </param>
/// <param name="Error">Why it is failing or waiting.</param>
/// <param name="UpdatedAt" example="2026-01-31T12:34:56.789Z">When it last made progress.</param>
/// <param name="OldestSnapshot" example="0.2">
/// Seconds that the oldest snapshot of the database has been held, by anyone: rows that were changed since cannot be
/// removed, so counters and statistics cost more the older it is.
/// </param>
public sealed record ProjectionStatus(
    string Name, uint Version, long Processed, long HighWaterMark, long Lag, string State, string? Error,
    DateTimeOffset? UpdatedAt, double OldestSnapshot)
{
    internal const string Failing = "failing";
}

public static class ReadProjections
{
    private const string RebuildOf = ":Rebuild";

    /// <summary>This version has no row yet before its first fold.</summary>
    private static readonly string Sql =
        $"""
        select name, coalesce(last_seq_id, 0), mark, last,
          case when name = '{CounterShard.Current.Name}' and not {CounterTables.Current.ArePresent} then '{CounterShard.Lost}' else pause_reason end, last_updated,
          greatest(last_updated, (select timestamp from {LogSchema.Name}.mt_events where seq_id > coalesce(last_seq_id, 0) order by seq_id limit 1)) > now() - interval '10 seconds',
          exists (select from pg_locks where locktype = 'advisory' and classid = 0 and objid = {Rebuild.OneAtATime} and database = (select oid from pg_database where datname = current_database())),
          case when high_water.mark < log.last then {ErrorTracker.Projections.HighWaterMark.Blocker} end,
          (select coalesce(max(extract(epoch from clock_timestamp() - snapshot.began)), 0)::float8 from (
            select a.xact_start as began from pg_stat_activity as a
            where a.backend_xmin is not null and a.datname = current_database() and a.pid <> pg_backend_pid()
            union all
            select p.prepared from pg_prepared_xacts as p where p.database = current_database()) as snapshot)
        from (select name from {CounterShard.Progress} where name like 'Counters:%' union select '{CounterShard.Current.Name}') as versions
        left join {CounterShard.Progress} using (name),
             (select coalesce(max(last_seq_id), 0) as mark from {CounterShard.Progress} where name = 'HighWaterMark') as high_water,
             (select coalesce(max(seq_id), 0) as last from {LogSchema.Name}.mt_events) as log
        order by name
        """;

    /// <summary>All versions of the counters that the database has, with how far each is.</summary>
    [WolverineGet("/projections", OperationId = "ListProjections")]
    [ProducesResponseType<ProjectionStatus[]>(200)]
    public static async Task<List<ProjectionStatus>> List([FromServices] LogDatabases databases, CancellationToken stop)
    {
        await using var view = await databases.Main.OpenReaderAsync(application: 0, stop);
        await using var command = new NpgsqlCommand(Sql, view.Connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<ProjectionStatus>();
        while (await reader.ReadAsync(stop))
        {
            var (name, processed, mark) = (reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2));
            var (error, blocker) = (reader.IsDBNull(4) ? null : reader.GetString(4), reader.IsDBNull(8) ? null : reader.GetString(8));
            var lag = Math.Max(0, reader.GetInt64(3) - processed);
            var moved = !reader.IsDBNull(6) && reader.GetBoolean(6);
            var state = error is not null ? ProjectionStatus.Failing
                : name.EndsWith(RebuildOf) ? reader.GetBoolean(7) ? "rebuilding" : "interrupted"
                : lag == 0 ? "caught up"
                : processed == mark && blocker is not null ? "waiting"
                : moved ? "catching up" : "stopped";
            found.Add(new("Counters", VersionOf(name), processed, mark, lag, state, error ?? (state == "waiting" ? blocker : null),
                reader.IsDBNull(5) ? null : reader.GetFieldValue<DateTimeOffset>(5), Math.Round(reader.GetDouble(9), 1)));
        }
        return found;
    }

    /// <summary>The progress row of a rebuild of the shard.</summary>
    internal static string RebuildRowOf(string shard) => shard + RebuildOf;

    /// <summary>A shard's name carries its version from the second on.</summary>
    private static uint VersionOf(string row) =>
        ShardName.TryParse(row.Replace(RebuildOf, ""), out var shard) && shard is not null ? Math.Max(1, shard.Version) : 1;
}
