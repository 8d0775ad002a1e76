using ErrorTracker.Background;
using ErrorTracker.Configuration;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Sees to what the daemon does not, which folds only when events arrive: open rows that are over are closed, tables
/// that somebody dropped are made anew, and a mark or a progress that stands still below the log's end goes on,
/// whichever node has failed or died. It may run on many nodes at once: a range is folded once whoever tries.
/// </summary>
internal sealed class ProjectionWatch : EachSecond
{
    private static readonly TimeSpan MarkTimeout = TimeSpan.FromMilliseconds(500);

    /// <summary>An open row that is over costs readers little for some seconds more.</summary>
    private const int SecondsBetweenCloses = 6;

    /// <summary>
    /// Where no other node writes, this one's commits wake the daemon: a quiet log need not be looked at often.
    /// </summary>
    private const int SecondsBetweenQuietLooks = 3;

    /// <summary>A log that is shorter needs no plan.</summary>
    private const long WorthAnalyzing = 500;

    private readonly NpgsqlDataSource _database;
    private readonly CommitSignal _committed;
    private readonly HighWaterMark _mark;
    private readonly bool _folds, _isAlone;
    private readonly Watched[] _projections;
    private readonly string _look, _analyze;
    private State? _last;

    public ProjectionWatch(RegisteredProjections projections, LogDatabases databases, CommitSignal committed,
        Settings settings, ILogger<ProjectionWatch> log) : base(log)
    {
        _database = databases.Main.Reserved;
        _committed = committed;
        _mark = new(_database);
        _folds = settings.Projections;
        _isAlone = settings.SingleNode;
        _projections =
        [
            .. projections.All.Select(projection =>
                new Watched(ProjectionShard.Of(projection), new PersistentFold(projection, _database, log))),
        ];
        _look = Look([.. _projections.Select(watched => watched.Shard)]);
        var tables = string.Join(", ", _projections.Select(watched => watched.Shard.Tables.List));
        _analyze = $"analyze {LogSchema.Name}.mt_events, {LogSchema.Name}.mt_streams, {tables}";
    }

    /// <summary>
    /// Events of the log that are not folded yet, when it last looked; of the projection that is furthest behind.
    /// </summary>
    public long Lag { get; private set; }

    /// <param name="Shard">The one that serves.</param>
    /// <param name="Fold">Folds it.</param>
    private sealed record Watched(ProjectionShard Shard, PersistentFold Fold)
    {
        /// <summary>What was begun last.</summary>
        public Task Work { get; set; } = Task.CompletedTask;
    }

    /// <param name="AreComplete">Of each projection: no table is missing.</param>
    /// <param name="Folded">Of each projection.</param>
    /// <param name="Mark">The high-water mark.</param>
    /// <param name="Committed">The log's last event.</param>
    /// <param name="Drawn">The highest sequence number that anyone has drawn.</param>
    /// <param name="Known">How many events PostgreSQL's planner believes the log to hold.</param>
    private sealed record State(bool[] AreComplete, long[] Folded, long Mark, long Committed, long Drawn, long Known)
    {
        /// <summary>Nothing was left to do.</summary>
        public bool IsQuiet =>
            AreComplete.All(isComplete => isComplete) && Folded.All(folded => folded >= Committed) && Mark >= Drawn;
    }

    /// <summary>
    /// It looks each second while there is anything to do, whatever becomes of the work that it starts.
    /// </summary>
    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        if (_isAlone && second % SecondsBetweenQuietLooks != 0 && _last is { IsQuiet: true }) return;
        var now = await LookAsync(stop);
        Lag = Math.Max(0, now.Committed - now.Folded.Min());
        if (!_folds) return;

        if (now.Mark < now.Committed) _committed.Set(); // another node's events
        var markStandsStill = now.Mark < now.Drawn && now.Mark == _last?.Mark;
        if (markStandsStill && await _mark.AdvanceAsync(MarkTimeout, stop)) now = await LookAsync(stop);
        if (now.Committed > 2 * Math.Max(now.Known, WorthAnalyzing)) await AnalyzeAsync(stop);

        var ended = new List<Task>();
        for (var i = 0; i < _projections.Length; i++)
        {
            var watched = _projections[i];
            if (!watched.Work.IsCompleted) continue;
            ended.Add(watched.Work);
            var standsStill = now.Folded[i] < now.Mark && now.Folded[i] == _last?.Folded[i];
            watched.Work = !now.AreComplete[i]
                ? watched.Shard.RestoreAsync(_database, stop)
                : WorkAsync(watched, standsStill ? now.Mark : null, second % SecondsBetweenCloses == 0, stop);
        }
        _last = now;
        await Task.WhenAll(ended); // so that a failure is told
    }

    private async Task WorkAsync(Watched watched, long? foldsUpTo, bool closes, CancellationToken stop)
    {
        if (foldsUpTo is { } mark) await watched.Fold.UpToAsync(mark, _ => Task.CompletedTask, stop);
        while (closes && await watched.Shard.CloseAsync(_database, stop)) ;
    }

    /// <summary>
    /// A log that has doubled since PostgreSQL last looked at it: for lack of knowledge Marten's search for gaps would
    /// read it as a whole each time, until autovacuum comes round after a minute.
    /// </summary>
    private async Task AnalyzeAsync(CancellationToken stop)
    {
        await using var connection = await _database.OpenConnectionAsync(stop);
        await connection.ExecuteAsync(_analyze, stop);
    }

    private static string Look(ProjectionShard[] shards) =>
        $"""
        select array[{string.Join(", ", shards.Select(shard => shard.Tables.ArePresent))}],
          array[{string.Join(", ", shards.Select(shard => LogProgress.Of($"'{shard.Row}'")))}],
          {LogProgress.Mark},
          {LogProgress.LogEnd},
          {LogProgress.Drawn},
          (select c.reltuples::bigint from pg_class as c where c.oid = '{LogSchema.Name}.mt_events'::regclass)
        """;

    private async Task<State> LookAsync(CancellationToken stop)
    {
        await using var command = _database.CreateCommand(_look);
        await using var row = await command.ExecuteReaderAsync(stop);
        await row.ReadAsync(stop);
        return new(
            AreComplete: row.GetFieldValue<bool[]>(0),
            Folded: row.GetFieldValue<long[]>(1),
            Mark: row.GetInt64(2),
            Committed: row.GetInt64(3),
            Drawn: row.GetInt64(4),
            Known: row.GetInt64(5));
    }
}
