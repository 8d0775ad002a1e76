using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// Sees to what the daemon does not, which folds only when events arrive: tables that somebody dropped are made anew, and a progress that stands
/// still below the high-water mark goes on. It may run on many nodes at once: a range is folded once whoever tries.
/// </summary>
internal sealed class CounterWatch(NpgsqlDataSource database, IConfiguration configuration, ILogger<CounterWatch> log) : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private static readonly string Sql =
        $"""
        select {CounterTables.Current.ArePresent},
          coalesce((select last_seq_id from {CounterShard.Progress} where name = '{CounterShard.Current.Name}'), 0),
          coalesce((select last_seq_id from {CounterShard.Progress} where name = 'HighWaterMark'), 0),
          coalesce((select max(seq_id) from {CounterTables.Schema}.mt_events), 0)
        """;

    private readonly bool _folds = configuration.GetValue("ErrorTracker:Projections", true);

    private readonly PersistentFold _fold = new(database, log);

    /// <summary>Events of the log that are not folded yet, when it last looked.</summary>
    public long Lag { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stop)
    {
        var (last, timer) = (-1L, new PeriodicTimer(Pause));
        while (await timer.WaitForNextTickAsync(stop))
            try
            {
                var (complete, folded, mark, committed) = await LookAsync(stop);
                Lag = Math.Max(0, committed - folded);
                if (!_folds) continue;
                if (!complete) await CounterShard.Current.RestoreAsync(database, stop);
                else if (folded < mark && folded == last) await _fold.UpToAsync(mark, _ => Task.CompletedTask, stop);
                last = folded;
            }
            catch (Exception) when (!stop.IsCancellationRequested)
            {
                // The database is away, or a reader holds a table that is to be made anew. Readiness and the status say so; the next look will tell.
            }
    }

    private async Task<(bool Complete, long Folded, long Mark, long Committed)> LookAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return (reader.GetBoolean(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
    }
}
