using ErrorTracker.Log;
using JasperFx.Events.Projections;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Projections;

/// <summary>How far a version of a projection is.</summary>
/// <param name="Name" example="Counters">Of the projection.</param>
/// <param name="Version" example="4">Raised whenever what is counted changes; each has tables of its own.</param>
/// <param name="Processed" example="10000000">Sequence number up to which the log is folded.</param>
/// <param name="HighWaterMark" example="10000000">
/// Sequence number up to which the log may be folded: nothing below it is still being written.
/// </param>
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
    DateTimeOffset? UpdatedAt, double OldestSnapshot);

public static class ReadProjections
{
    /// <summary>All versions of the projections that the database has, with how far each is.</summary>
    [WolverineGet("/projections", OperationId = "ListProjections")]
    [ProducesResponseType<ProjectionStatus[]>(200)]
    public static async Task<List<ProjectionStatus>> List(
        [FromServices] RegisteredProjections projections, [FromServices] LogDatabases databases, CancellationToken stop)
    {
        await using var view = await databases.Main.OpenReaderAsync(ReaderTurns.Nobody, stop);
        await using var command = new NpgsqlCommand(Sql(projections), view.Connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<ProjectionStatus>();
        while (await reader.ReadAsync(stop)) found.Add(Version.Read(reader).ToStatus());
        return found;
    }

    /// <summary>Whether somebody holds the lock of a rebuild of the version, as SQL.</summary>
    private const string IsRebuilding =
        """
        exists (
            select from pg_locks as l
            where l.locktype = 'advisory' and l.classid = 0 and l.objid = version.rebuild_lock
              and l.database = (select d.oid from pg_database as d where d.datname = current_database()))
        """;

    /// <summary>Seconds that the oldest snapshot of the database has been held, as SQL.</summary>
    private const string OldestSnapshot =
        """
        (select coalesce(max(extract(epoch from clock_timestamp() - snapshot.began)), 0)::float8 from (
            select a.xact_start as began from pg_stat_activity as a
            where a.backend_xmin is not null and a.datname = current_database() and a.pid <> pg_backend_pid()
            union all
            select p.prepared from pg_prepared_xacts as p where p.database = current_database()) as snapshot)
        """;

    /// <summary>A version that is registered has no row of the progress before its first fold.</summary>
    private static string Sql(RegisteredProjections projections) =>
        $"""
        select version.projection, version.name, coalesce(shard.last_seq_id, 0) as processed,
          high_water.mark, log.last_event,
          case when not version.is_complete then version.lost else shard.pause_reason end as error,
          shard.last_updated,
          greatest(shard.last_updated, (
            select e.timestamp from {LogSchema.Name}.mt_events as e
            where e.seq_id > coalesce(shard.last_seq_id, 0) order by e.seq_id limit 1)
          ) > now() - interval '10 seconds' as moved,
          {IsRebuilding} as is_rebuilding,
          case when high_water.mark < log.last_event then {HighWaterMark.Blocker} end as blocker,
          {OldestSnapshot} as oldest_snapshot
        from ({string.Join(" union all ", projections.All.Select(VersionsOf))}) as version
        left join {LogProgress.Table} as shard on shard.name = version.name
        cross join (select {LogProgress.Mark} as mark) as high_water
        cross join (select {LogProgress.LogEnd} as last_event) as log
        order by version.name
        """;

    /// <summary>Those that have a row of the progress, and the one that is registered.</summary>
    private static string VersionsOf(Projection projection) =>
        $"""
        select '{projection.Name}' as projection, known.name, {projection.RebuildLock} as rebuild_lock,
          known.name <> '{projection.Row}' or {new TableSet(projection, projection.Suffix).ArePresent} as is_complete,
          '{ProjectionShard.LostOf(projection)}' as lost
        from (
          select p.name from {LogProgress.Table} as p where starts_with(p.name, '{projection.Name}:')
          union
          select '{projection.Row}') as known
        """;

    /// <summary>A version as the database answers it.</summary>
    /// <param name="Moved">Null before its first progress in a log that has nothing left to fold.</param>
    /// <param name="IsRebuilding">Somebody holds the lock of a rebuild.</param>
    /// <param name="Blocker">Who keeps the high-water mark back.</param>
    private sealed record Version(
        string Projection, string Row, long Processed, long Mark, long LastEvent, string? Error,
        DateTimeOffset? UpdatedAt, bool? Moved, bool IsRebuilding, string? Blocker, double OldestSnapshot)
    {
        public static Version Read(NpgsqlDataReader row) => new(
            row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
            Error: row.IsDBNull(5) ? null : row.GetString(5),
            UpdatedAt: row.IsDBNull(6) ? null : row.GetFieldValue<DateTimeOffset>(6),
            Moved: row.IsDBNull(7) ? null : row.GetBoolean(7),
            row.GetBoolean(8),
            Blocker: row.IsDBNull(9) ? null : row.GetString(9),
            row.GetDouble(10));

        public ProjectionStatus ToStatus()
        {
            var waitsFor = State == "waiting" ? Blocker : null;
            return new(Projection, Number, Processed, Mark, Lag, State, Error ?? waitsFor, UpdatedAt,
                Math.Round(OldestSnapshot, 1));
        }

        private long Lag => Math.Max(0, LastEvent - Processed);

        private bool IsBeside => Row.EndsWith(ProjectionShard.RebuildEnding, StringComparison.Ordinal);

        private string State =>
            Error is not null ? "failing"
            : IsBeside ? IsRebuilding ? "rebuilding" : "interrupted"
            : Lag == 0 ? "caught up"
            : Processed == Mark && Blocker is not null ? "waiting"
            : Moved is true ? "catching up"
            : "stopped";

        /// <summary>A shard's name carries its version from the second on.</summary>
        private uint Number
        {
            get
            {
                var shard = Row.Replace(ProjectionShard.RebuildEnding, "");
                return ShardName.TryParse(shard, out var name) && name is not null ? Math.Max(1, name.Version) : 1;
            }
        }
    }
}
