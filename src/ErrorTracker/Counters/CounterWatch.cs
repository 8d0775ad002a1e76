using ErrorTracker.Configuration;
using Marten;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// Sees to what the daemon does not, which folds only when events arrive: minutes that are over are closed, tables that somebody dropped are made anew,
/// and a mark or a progress that stands still below the log's end goes on, whichever node has failed or died. It may run on many nodes at once: a range is folded once whoever tries.
/// </summary>
internal sealed class CounterWatch(NpgsqlDataSource database, IDocumentStore store, Settings settings, ILogger<CounterWatch> log)
    : EachSecond(log)
{
    private static readonly TimeSpan MarkPatience = TimeSpan.FromSeconds(10);

    private static readonly string Sql =
        $"""
        select {CounterTables.Current.ArePresent},
          coalesce((select last_seq_id from {CounterShard.Progress} where name = '{CounterShard.Current.Name}'), 0),
          coalesce((select last_seq_id from {CounterShard.Progress} where name = 'HighWaterMark'), 0),
          coalesce((select max(seq_id) from {CounterTables.Schema}.mt_events), 0),
          (select reltuples::bigint from pg_class where oid = '{CounterTables.Schema}.mt_events'::regclass)
        """;

    /// <summary>A log that is shorter needs no plan.</summary>
    private const long WorthAnalyzing = 500;

    private readonly bool _folds = settings.Projections;

    private readonly PersistentFold _fold = new(database, log);

    private long _lastFolded = -1, _lastMark = -1;

    /// <summary>Events of the log that are not folded yet, when it last looked.</summary>
    public long Lag { get; private set; }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        var (complete, folded, mark, committed, known) = await LookAsync(stop);
        if (_folds && complete && mark < committed && mark == _lastMark)
        {
            await MoveMarkAsync(stop);
            (complete, folded, mark, committed, known) = await LookAsync(stop);
        }
        Lag = Math.Max(0, committed - folded);
        if (!_folds) return;
        if (committed > 2 * Math.Max(known, WorthAnalyzing)) await AnalyzeAsync(stop);
        if (!complete) await CounterShard.Current.RestoreAsync(database, stop);
        else
        {
            if (folded < mark && folded == _lastFolded) await _fold.UpToAsync(mark, _ => Task.CompletedTask, stop);
            while (await CounterShard.Current.CloseMinutesAsync(database, stop)) ;
        }
        (_lastFolded, _lastMark) = (folded, mark);
    }

    /// <summary>By Marten's own rules: gaps that a transaction may still fill are waited for.</summary>
    private async Task MoveMarkAsync(CancellationToken stop)
    {
        using var daemon = await store.BuildProjectionDaemonAsync();
        await daemon.PrepareForRebuildsAsync().WaitAsync(MarkPatience, stop);
    }

    /// <summary>
    /// A log that has doubled since PostgreSQL last looked at it: for lack of knowledge Marten's search for gaps would read it as a whole each time, until
    /// autovacuum comes round after a minute.
    /// </summary>
    private async Task AnalyzeAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand($"analyze {CounterTables.Schema}.mt_events, {CounterTables.Schema}.mt_streams, {string.Join(", ", CounterTables.Current.Names)}");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(stop);
    }

    private async Task<(bool Complete, long Folded, long Mark, long Committed, long Known)> LookAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return (reader.GetBoolean(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4));
    }
}
