using System.Collections.Concurrent;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Crash;

/// <summary>What must never happen.</summary>
internal enum FaultKind
{
    /// <summary>Acknowledged and not stored.</summary>
    Lost,

    /// <summary>Stored more than once.</summary>
    Doubled,

    /// <summary>Only ever refused, and stored.</summary>
    RefusedButStored,

    /// <summary>An answer that says what it must not, or what is not so.</summary>
    Answer,

    /// <summary>A counter or a statistic that differs from a recount of the log.</summary>
    Count,

    /// <summary>A process or a projection that does not come back by itself.</summary>
    Gone,
}

internal sealed record Fault(FaultKind Kind, string What);

/// <summary>All that was sent to a stage, to be held against its log.</summary>
internal sealed class Ledger
{
    private readonly ConcurrentQueue<Sent> _sent = [];
    private readonly ConcurrentQueue<Fault> _faults = [];
    private long _trace;

    public IEnumerable<Sent> Sent => _sent;

    public IReadOnlyCollection<Fault> Faults => _faults;

    public int Count => _sent.Count;

    public long NextTrace() => Interlocked.Increment(ref _trace);

    public void Add(IEnumerable<Sent> events)
    {
        foreach (var sent in events) _sent.Enqueue(sent);
    }

    public void Fault(FaultKind kind, string what) => _faults.Enqueue(new(kind, what));

    /// <param name="orderlyFrom">
    /// From this event on, the host answered all that it took, for it ended in good order: whatever answer was lost,
    /// the event must not be stored.
    /// </param>
    public async Task CompareAsync(NpgsqlDataSource database, int? orderlyFrom, CancellationToken stop)
    {
        var stored = await StoredAsync(database, stop);
        foreach (var (place, sent) in _sent.Index())
            if (stored.Remove(sent.Trace, out var ids)) CompareStored(sent, ids, isOrderly: place >= orderlyFrom);
            else if (sent.IsAcknowledged) Fault(FaultKind.Lost, $"{sent}");
        foreach (var trace in stored.Keys) Fault(FaultKind.RefusedButStored, $"event {trace} was never sent");
    }

    private void CompareStored(Sent sent, List<Guid> ids, bool isOrderly)
    {
        if (ids.Count > 1) Fault(FaultKind.Doubled, $"{sent}; stored as {string.Join(", ", ids)}");
        if (sent.StoredAs is { } id && !ids.Contains(id))
            Fault(FaultKind.Answer, $"{sent}; answered as {id}, stored as {ids[0]}");
        if (sent.IsAcknowledged) return;
        if (!sent.IsUnknown || !sent.IsValid) Fault(FaultKind.RefusedButStored, $"{sent}; stored as {ids[0]}");
        if (sent.IsUnknown && isOrderly)
            Fault(FaultKind.Answer, $"stored and not answered by a host that ended in good order: {sent}");
    }

    /// <summary>The ids under which each trace is stored.</summary>
    private static async Task<Dictionary<long, List<Guid>>> StoredAsync(
        NpgsqlDataSource database, CancellationToken stop)
    {
        var stored = new Dictionary<long, List<Guid>>();
        await using var command = database.CreateCommand(
            $"""
            select (data->'tags'->>'trace')::bigint, id
            from {LogSchema.Name}.mt_events
            where {LogRow.IsError}
            """);
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
        {
            var (trace, id) = (reader.GetInt64(0), reader.GetGuid(1));
            if (stored.TryGetValue(trace, out var ids)) ids.Add(id);
            else stored[trace] = [id];
        }
        return stored;
    }
}
