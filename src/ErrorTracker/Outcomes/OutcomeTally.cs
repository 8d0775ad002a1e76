using ErrorTracker.Background;
using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Outcomes;

/// <summary>
/// On whom something is counted: an application whose key was shown, and the time that it is counted at.
/// </summary>
internal sealed record Arrival(int ApplicationId, DateTimeOffset ReceivedAt);

/// <summary>
/// Counts, for each application, what the log does not hold: duplicates and refusals by reason, what is not kept by
/// category, and what SDKs report that they dropped, by reason and category. The counts are written about every second
/// and when the host stops. Each row has an id, so a write in doubt is repeated and counts once.
/// </summary>
/// <remarks>
/// A kill may lose the last second of these counts, never of events; another node sees them a second later. Memory is
/// bounded: only applications whose key was shown, times a handful of reasons, a closed list of categories and <see
/// cref="DropPairs.Most"/> pairs. A row's time is the received_at of the first that it counts, so a window that cuts
/// through a second may be off by the counts of that second; and by those of a minute once the rows are merged.
/// </remarks>
public sealed class OutcomeTally(LogDatabases databases, ILogger<OutcomeTally> log) : EachSecond(log)
{
    public const string Table = $"{LogSchema.Name}.ingest_outcomes";

    private const string Insert =
        $"""
        insert into {Table} (id, application_id, kind, reason, category, at, count)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        on conflict (id) do nothing
        """;

    /// <summary>
    /// Makes one row of all rows of a minute that count the same. What SDKs name in their own words has more rows, so
    /// it is merged sooner.
    /// </summary>
    private const string Merge =
        $"""
        with old as (
          delete from {Table}
          where at < now() - case kind
              when '{OutcomeKind.ClientDropped}' then interval '10 minutes'
              else interval '1 day'
            end
            and at <> date_trunc('minute', at)
          returning application_id, kind, reason, category, date_trunc('minute', at) as minute, count)
        insert into {Table} (id, application_id, kind, reason, category, at, count)
        select gen_random_uuid(), application_id, kind, reason, category, minute, {Sum}
        from old
        group by application_id, kind, reason, category, minute
        """;

    /// <summary>Senders claim any quantity: a sum beyond what the column holds is cut to that.</summary>
    internal const string Sum = "least(sum(count), 9223372036854775807)::bigint";

    private const int SecondsBetweenMerges = 600;

    private readonly Dictionary<Subject, (DateTimeOffset At, long Count)> _open = [];
    private readonly DropPairs _pairs = new();
    private readonly SemaphoreSlim _turn = new(1);
    private List<Row> _unwritten = [];

    private readonly record struct Subject(int ApplicationId, string Kind, string Reason, string Category);

    private sealed record Row(Guid Id, Subject Of, DateTimeOffset At, long Count);

    /// <summary>Duplicates and refusals.</summary>
    /// <param name="arrival">Whose they are.</param>
    /// <param name="reason">Why they are not stored.</param>
    /// <param name="events">How many.</param>
    internal void Add(Arrival arrival, Reason reason, int events = 1)
    {
        if (events == 0) return;
        var subject = new Subject(arrival.ApplicationId, OutcomeKind.Refused, reason.Stored, "");
        lock (_open) Add(arrival.ReceivedAt, subject, events);
    }

    /// <param name="arrival">Whose they are.</param>
    /// <param name="category">One of a closed list.</param>
    /// <param name="count">At least 1.</param>
    internal void AddNotKept(Arrival arrival, string category, long count)
    {
        var subject = new Subject(arrival.ApplicationId, OutcomeKind.NotKept, "", category);
        lock (_open) Add(arrival.ReceivedAt, subject, count);
    }

    /// <summary>Pairs beyond the limit of the application and the day are counted together.</summary>
    /// <param name="arrival">Whose they are.</param>
    /// <param name="dropped">In the sender's words: at most 100 characters each. Quantities are at least 1.</param>
    internal void AddDropped(Arrival arrival, IReadOnlyDictionary<DropPair, long> dropped)
    {
        var day = DateOnly.FromDateTime(arrival.ReceivedAt.UtcDateTime);
        lock (_open)
            foreach (var (sent, quantity) in dropped)
            {
                var (reason, category) = _pairs.Admit(arrival.ApplicationId, day, sent);
                var subject = new Subject(arrival.ApplicationId, OutcomeKind.ClientDropped, reason, category);
                Add(arrival.ReceivedAt, subject, quantity);
            }
    }

    private void Add(DateTimeOffset at, Subject subject, long count)
    {
        var (first, sum) = _open.GetValueOrDefault(subject, (at, 0));
        _open[subject] = (first < at ? first : at, Saturating.Add(sum, count));
    }

    /// <summary>
    /// Writes what was counted until now. Rows whose write failed are written first, under the ids that they have.
    /// </summary>
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

    /// <summary>Leaves one row a minute of what is old enough.</summary>
    internal async Task MergeAsync(CancellationToken stop)
    {
        await using var command = databases.Main.Reserved.CreateCommand(Merge);
        await command.ExecuteNonQueryAsync(stop);
    }

    private async Task WriteAsync(CancellationToken stop)
    {
        if (_unwritten.Count == 0) return;
        await using var command = databases.Main.Reserved.CreateCommand(Insert);
        foreach (var column in new object[]
        {
            Column(row => row.Id), Column(row => row.Of.ApplicationId), Column(row => row.Of.Kind),
            Column(row => row.Of.Reason), Column(row => row.Of.Category),
            Column(row => row.At), Column(row => row.Count),
        })
            command.Parameters.Add(new() { Value = column });
        await command.ExecuteNonQueryAsync(stop);
        _unwritten = [];
    }

    private T[] Column<T>(Func<Row, T> of) => [.. _unwritten.Select(of)];

    private List<Row> Take()
    {
        lock (_open)
        {
            var rows = _open.Select(sum => new Row(Guid.CreateVersion7(), sum.Key, sum.Value.At, sum.Value.Count));
            var taken = rows.ToList();
            _open.Clear();
            _pairs.ForgetPast();
            return taken;
        }
    }

    protected override async Task DoAsync(long second, CancellationToken stop)
    {
        await FlushAsync(stop);
        if (second % SecondsBetweenMerges == 0) await MergeAsync(stop);
    }

    /// <summary>The web server has stopped before this: nothing is counted any more.</summary>
    protected override Task FinishAsync(CancellationToken stop) => FlushAsync(stop);

    /// <summary>
    /// Versions before kinds wrote refusals and duplicates only: the defaults make their rows such.
    /// </summary>
    internal static Table Define()
    {
        var name = new PostgresqlObjectName(LogSchema.Name, "ingest_outcomes", SchemaUtils.IdentifierUsage.General);
        var table = new Table(name);
        table.AddColumn("id", "uuid").AsPrimaryKey();
        table.AddColumn("application_id", "integer").NotNull();
        table.AddColumn("reason", "text").NotNull();
        table.AddColumn("at", "timestamptz").NotNull();
        table.AddColumn("count", "bigint").NotNull();
        table.AddColumn("kind", "text").NotNull().DefaultValueByString(OutcomeKind.Refused);
        table.AddColumn("category", "text").NotNull().DefaultValueByString("");
        table.Indexes.Add(new IndexDefinition("ingest_outcomes_application") { Columns = ["application_id", "at"] });
        return table;
    }
}
