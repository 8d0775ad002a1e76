using ErrorTracker.Commit;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>
/// Ready: the database answers, the schema is there, and the counters of this version have folded all that the log held when this was first
/// asked. From then on they lag by a moment only, which every statistic makes up for, unless they are lost and counted anew.
/// </summary>
internal sealed class Readiness(LogDatabases databases, WriteQueue queue, TimeProvider clock) : IHealthCheck
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3), Age = TimeSpan.FromSeconds(1);

    private static readonly string Sql =
        $"""
        select log.last, coalesce(shard.last_seq_id, 0), shard.pause_reason, {CounterTables.Current.ArePresent},
          coalesce((select p.last_seq_id from {CounterShard.Progress} as p where p.name = @rebuild), 0),
          case when coalesce((select p.last_seq_id from {CounterShard.Progress} as p where p.name = 'HighWaterMark'), 0) < log.last
            then {HighWaterMark.Blocker} end
        from (select coalesce(max(e.seq_id), 0) as last from {LogSchema.Name}.mt_events as e) as log
        left join {CounterShard.Progress} as shard on shard.name = @shard
        """;

    private readonly Lock _turn = new();
    private Task<HealthCheckResult>? _check;
    private long _checkedAt;
    private long? _target;

    /// <summary>However many ask, the database is asked once a second.</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken stop = default)
    {
        lock (_turn)
            if (_check is null || _check.IsCompleted && clock.GetElapsedTime(_checkedAt) >= Age)
                (_check, _checkedAt) = (CheckAsync(), clock.GetTimestamp());
        return _check.WaitAsync(stop);
    }

    private async Task<HealthCheckResult> CheckAsync()
    {
        using var limit = new CancellationTokenSource(Patience);
        try
        {
            return await queue.ProbeAsync(limit.Token) is { } failure
                ? HealthCheckResult.Unhealthy($"Events cannot be committed, which is tried again. {failure}")
                : await CheckCountersAsync(limit.Token);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            return HealthCheckResult.Unhealthy("The schema is not in place: run db-apply.");
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("The database does not answer.");
        }
    }

    private async Task<HealthCheckResult> CheckCountersAsync(CancellationToken stop)
    {
        await using var command = databases.Main.Reserved.CreateCommand(Sql);
        command.Parameters.AddWithValue("rebuild", ReadProjections.RebuildRowOf(CounterProjection.ShardIdentity));
        command.Parameters.AddWithValue("shard", CounterProjection.ShardIdentity);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        if (!reader.GetBoolean(3)) return HealthCheckResult.Unhealthy(CounterShard.Lost);
        if (!reader.IsDBNull(2))
            return HealthCheckResult.Unhealthy(
                $"The counters cannot be folded, which is tried again; statistics stay right. {reader.GetString(2)}");
        var judged = Judge(committed: reader.GetInt64(0), folded: reader.GetInt64(1), beside: reader.GetInt64(4));
        return judged.Status == HealthStatus.Healthy && !reader.IsDBNull(5)
            ? HealthCheckResult.Degraded($"Ready, but the counters wait; statistics stay right. {reader.GetString(5)}")
            : judged;
    }

    /// <param name="committed">The log's last event.</param>
    /// <param name="folded">How far the counters are.</param>
    /// <param name="beside">How far those are that a rebuild fills, as a new version's first are.</param>
    private HealthCheckResult Judge(long committed, long folded, long beside)
    {
        var target = _target ??= committed;
        return folded >= target ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"The counters have folded {Math.Max(folded, beside):N0} of {target:N0} events.");
    }
}
