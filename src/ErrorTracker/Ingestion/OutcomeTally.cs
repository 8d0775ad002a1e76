using ErrorTracker.Counters;
using Npgsql;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Ingestion;

/// <summary>Whose events a request brings, once its key has opened the application, and when it arrived.</summary>
internal sealed record Account(int ApplicationId, DateTimeOffset ReceivedAt);

/// <summary>
/// Counts what was not stored, by application and reason: duplicates and refusals. What is stored is counted from the log. It is written about every second
/// and when the host stops, each row under an id, so that a write in doubt is repeated and counts once.
/// </summary>
/// <remarks>
/// A kill may lose the last second of these counts, never of events; another node sees them as late. Memory is bounded: only applications whose key was shown, times a handful of reasons. A
/// row's time is the received_at of its first, so a window that cuts through a second of refusals may be off by those of that second; after a day, of that minute.
/// </remarks>
public sealed class OutcomeTally(NpgsqlDataSource database, ILogger<OutcomeTally> log) : EachSecond(log)
{
    public const string Table = $"{CounterTables.Schema}.ingest_outcomes", Duplicate = "duplicate";

    private const string Insert = $"insert into {Table} (id, application_id, reason, at, count) select * from unnest($1, $2, $3, $4, $5) on conflict (id) do nothing";

    /// <summary>Rows of a whole minute have been merged.</summary>
    private const string Merge =
        $"""
        with old as (delete from {Table} where at < now() - interval '1 day' and at <> date_trunc('minute', at) returning application_id, reason, date_trunc('minute', at) as minute, count)
        insert into {Table} (id, application_id, reason, at, count) select gen_random_uuid(), application_id, reason, minute, sum(count)::bigint from old group by 2, 3, 4
        """;

    private const int SecondsBetweenMerges = 600;

    private readonly Dictionary<(int ApplicationId, string Reason), (DateTimeOffset At, long Count)> _open = [];
    private readonly SemaphoreSlim _turn = new(1);
    private List<Row> _unwritten = [];

    private sealed record Row(Guid Id, int ApplicationId, string Reason, DateTimeOffset At, long Count);

    internal void Add(Account account, string reason, int events = 1)
    {
        if (events == 0) return;
        lock (_open)
        {
            var known = _open.TryGetValue((account.ApplicationId, reason), out var sum);
            _open[(account.ApplicationId, reason)] = known ? (sum.At < account.ReceivedAt ? sum.At : account.ReceivedAt, sum.Count + events) : (account.ReceivedAt, events);
        }
    }

    /// <summary>Writes what was counted until now. Rows that could not be written are tried again as they are, before others are made.</summary>
    public async Task FlushAsync(CancellationToken stop)
    {
        await _turn.WaitAsync(stop);
        try
        {
            await WriteAsync(stop);
            _unwritten = Take();
            await WriteAsync(stop);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Of what is older than a day a row is left for each minute.</summary>
    private async Task MergeAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand(Merge);
        await command.ExecuteNonQueryAsync(stop);
    }

    private async Task WriteAsync(CancellationToken stop)
    {
        if (_unwritten.Count == 0) return;
        await using var command = database.CreateCommand(Insert);
        foreach (var column in new object[] { Column(row => row.Id), Column(row => row.ApplicationId), Column(row => row.Reason), Column(row => row.At), Column(row => row.Count) })
            command.Parameters.Add(new() { Value = column });
        await command.ExecuteNonQueryAsync(stop);
        _unwritten = [];
    }

    private T[] Column<T>(Func<Row, T> of) => [.. _unwritten.Select(of)];

    private List<Row> Take()
    {
        lock (_open)
        {
            var rows = _open.Select(sum => new Row(Guid.CreateVersion7(), sum.Key.ApplicationId, sum.Key.Reason, sum.Value.At, sum.Value.Count)).ToList();
            _open.Clear();
            return rows;
        }
    }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        await FlushAsync(stop);
        if (second % SecondsBetweenMerges == 0) await MergeAsync(stop);
    }

    /// <summary>The web server has stopped before this: nothing is counted any more.</summary>
    protected override Task FinishAsync(CancellationToken stop) => FlushAsync(stop);

    internal static Table Define()
    {
        var table = new Table(new PostgresqlObjectName(CounterTables.Schema, "ingest_outcomes", SchemaUtils.IdentifierUsage.General));
        table.AddColumn("id", "uuid").AsPrimaryKey();
        foreach (var (name, type) in new[] { ("application_id", "integer"), ("reason", "text"), ("at", "timestamptz"), ("count", "bigint") }) table.AddColumn(name, type).NotNull();
        table.Indexes.Add(new IndexDefinition("ingest_outcomes_application") { Columns = ["application_id", "at"] });
        return table;
    }
}
