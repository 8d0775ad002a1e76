using ErrorTracker.Background;
using ErrorTracker.Configuration;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Sees to what the daemon does not, which folds only when events arrive: minutes that are over are closed, tables that
/// somebody dropped are made anew, and a mark or a progress that stands still below the log's end goes on, whichever
/// node has failed or died. It may run on many nodes at once: a range is folded once whoever tries.
/// </summary>
internal sealed class CounterWatch : EachSecond
{
    private static readonly TimeSpan MarkPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>A minute that is over costs readers little for some seconds more.</summary>
    private const int SecondsBetweenCloses = 6;

    /// <summary>Where no other node writes, this one's commits wake the daemon: a quiet log need not be looked at often.</summary>
    private const int SecondsBetweenQuietLooks = 3;

    /// <summary>A log that is shorter needs no plan.</summary>
    private const long WorthAnalyzing = 500;

    private static readonly string Sql =
        $"""
        select {CounterTables.Current.ArePresent},
          coalesce((select p.last_seq_id from {CounterShard.Progress} as p where p.name = '{CounterShard.Current.Name}'), 0),
          coalesce((select p.last_seq_id from {CounterShard.Progress} as p where p.name = 'HighWaterMark'), 0),
          coalesce((select max(e.seq_id) from {LogSchema.Name}.mt_events as e), 0),
          (select case when s.is_called then s.last_value else 0 end from {LogSchema.Name}.mt_events_sequence as s),
          (select c.reltuples::bigint from pg_class as c where c.oid = '{LogSchema.Name}.mt_events'::regclass)
        """;

    private readonly NpgsqlDataSource _database;
    private readonly CommitSignal _committed;
    private readonly HighWaterMark _mark;
    private readonly PersistentFold _fold;
    private readonly bool _folds, _isAlone;
    private Task _work = Task.CompletedTask;
    private State? _last;

    public CounterWatch(LogDatabases databases, CommitSignal committed, Settings settings, ILogger<CounterWatch> log)
        : base(log)
    {
        (_database, _committed) = (databases.Main.Reserved, committed);
        _mark = new(_database);
        _fold = new(_database, log);
        (_folds, _isAlone) = (settings.Projections, settings.SingleNode);
    }

    /// <summary>Events of the log that are not folded yet, when it last looked.</summary>
    public long Lag { get; private set; }

    /// <param name="Committed">The log's last event.</param>
    /// <param name="Drawn">The highest sequence number that anyone has drawn.</param>
    /// <param name="Known">How many events PostgreSQL's planner believes the log to hold.</param>
    private sealed record State(bool IsComplete, long Folded, long Mark, long Committed, long Drawn, long Known)
    {
        /// <summary>Nothing was left to do.</summary>
        public bool IsQuiet => IsComplete && Folded >= Committed && Mark >= Drawn;
    }

    /// <summary>It looks each second while there is anything to do, whatever becomes of the work that it starts.</summary>
    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        if (_isAlone && second % SecondsBetweenQuietLooks != 0 && _last is { IsQuiet: true }) return;
        var now = await LookAsync(stop);
        Lag = Math.Max(0, now.Committed - now.Folded);
        if (!_folds) return;
        if (now.Mark < now.Committed) _committed.Set(); // another node's events
        if (now.Mark < now.Drawn && now.Mark == _last?.Mark && await _mark.AdvanceAsync(MarkPatience, stop))
            now = await LookAsync(stop);
        if (now.Committed > 2 * Math.Max(now.Known, WorthAnalyzing)) await AnalyzeAsync(stop);
        if (!now.IsComplete) await CounterShard.Current.RestoreAsync(_database, stop);
        else if (_work.IsCompleted)
        {
            var failed = _work;
            _work = WorkAsync(now, standsStill: now.Folded == _last?.Folded, closes: second % SecondsBetweenCloses == 0, stop);
            _last = now;
            await failed; // so that a failure is told
        }
        _last = now;
    }

    private async Task WorkAsync(State now, bool standsStill, bool closes, CancellationToken stop)
    {
        if (now.Folded < now.Mark && standsStill) await _fold.UpToAsync(now.Mark, _ => Task.CompletedTask, stop);
        while (closes && await CounterShard.Current.CloseMinutesAsync(_database, stop)) ;
    }

    /// <summary>
    /// A log that has doubled since PostgreSQL last looked at it: for lack of knowledge Marten's search for gaps would
    /// read it as a whole each time, until autovacuum comes round after a minute.
    /// </summary>
    private async Task AnalyzeAsync(CancellationToken stop)
    {
        await using var command = _database.CreateCommand(
            $"analyze {LogSchema.Name}.mt_events, {LogSchema.Name}.mt_streams, {string.Join(", ", CounterTables.Current.Names)}");
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(stop);
    }

    private async Task<State> LookAsync(CancellationToken stop)
    {
        await using var command = _database.CreateCommand(Sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return new(reader.GetBoolean(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3), reader.GetInt64(4),
            reader.GetInt64(5));
    }
}
