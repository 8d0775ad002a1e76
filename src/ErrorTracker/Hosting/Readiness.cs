using ErrorTracker.Commit;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>
/// Ready: the database answers, the schema is there, and the tables of every projection hold all that the log held when
/// this was first asked. From then on they lag by a moment only, which every statistic makes up for, unless they are
/// lost and filled anew.
/// </summary>
internal sealed class Readiness(
    LogDatabases databases, RegisteredProjections projections, WriteQueue queue, TimeProvider clock)
    : IHealthCheck
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(3), Age = TimeSpan.FromSeconds(1);

    private readonly string _sql = Sql(projections.All);
    private readonly Lock _turn = new();
    private Task<HealthCheckResult>? _check;
    private long _checkedAt;
    private long? _target;

    /// <summary>However many ask, the database is asked once a second.</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken stop = default)
    {
        lock (_turn)
        {
            var isFresh = clock.GetElapsedTime(_checkedAt) < Age;
            if (_check is null || (_check.IsCompleted && !isFresh))
            {
                _check = CheckAsync();
                _checkedAt = clock.GetTimestamp();
            }
            return _check.WaitAsync(stop);
        }
    }

    private async Task<HealthCheckResult> CheckAsync()
    {
        using var limit = new CancellationTokenSource(Timeout);
        try
        {
            return await queue.ProbeAsync(limit.Token) is { } failure
                ? HealthCheckResult.Unhealthy($"Events cannot be committed, which is tried again. {failure}")
                : await CheckProjectionsAsync(limit.Token);
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return HealthCheckResult.Unhealthy("The schema is not in place: run db-apply.");
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.");
        }
    }

    /// <summary>The first projection that is not ready tells why; else the first that waits.</summary>
    private async Task<HealthCheckResult> CheckProjectionsAsync(CancellationToken stop)
    {
        await using var command = databases.Main.Reserved.CreateCommand(_sql);
        await using var row = await command.ExecuteReaderAsync(stop);
        var results = new List<HealthCheckResult>();
        foreach (var projection in projections.All)
        {
            await row.ReadAsync(stop);
            results.Add(Judge(projection, State.Read(row)));
        }
        return results.MinBy(result => result.Status);
    }

    private HealthCheckResult Judge(Projection projection, State state)
    {
        if (!state.IsComplete) return HealthCheckResult.Unhealthy(ProjectionShard.LostOf(projection));
        var subject = char.ToUpperInvariant(projection.Subject[0]) + projection.Subject[1..];
        if (state.Failure is { } failure)
            return HealthCheckResult.Unhealthy(
                $"{subject} cannot be folded, which is tried again; statistics stay right. {failure}");

        var target = _target ??= state.Committed;
        if (state.Folded < target)
            return HealthCheckResult.Unhealthy(
                $"{subject} have folded {Math.Max(state.Folded, state.Beside):N0} of {target:N0} events.");
        return state.Blocker is { } blocker
            ? HealthCheckResult.Degraded($"Ready, but {projection.Subject} wait; statistics stay right. {blocker}")
            : HealthCheckResult.Healthy();
    }

    /// <summary>One row for each projection, in their order.</summary>
    private static string Sql(IReadOnlyList<Projection> projections) =>
        $"""
        select log.last_event, {LogProgress.Of("projection.shard")}, {LogProgress.Of("projection.rebuild")},
          projection.is_complete,
          (select p.pause_reason from {LogProgress.Table} as p where p.name = projection.shard),
          case when {LogProgress.Mark} < log.last_event then {HighWaterMark.Blocker} end
        from (select {LogProgress.LogEnd} as last_event) as log
        cross join (values {string.Join(", ", projections.Select(Values))})
          as projection(place, shard, rebuild, is_complete)
        order by projection.place
        """;

    private static string Values(Projection projection, int place)
    {
        var shard = ProjectionShard.Of(projection);
        return $"({place}, '{shard.Row}', '{ProjectionShard.RebuildRowOf(shard.Row)}', {shard.Tables.ArePresent})";
    }

    /// <param name="Committed">The log's last event.</param>
    /// <param name="Folded">How far the tables are that serve.</param>
    /// <param name="Beside">How far those are that a rebuild fills, as a new version's first are.</param>
    /// <param name="Failure">Why the last fold failed.</param>
    /// <param name="Blocker">Who keeps the high-water mark back.</param>
    private sealed record State(
        long Committed, long Folded, long Beside, bool IsComplete, string? Failure, string? Blocker)
    {
        public static State Read(NpgsqlDataReader row) => new(
            row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetBoolean(3),
            Failure: row.IsDBNull(4) ? null : row.GetString(4),
            Blocker: row.IsDBNull(5) ? null : row.GetString(5));
    }
}
