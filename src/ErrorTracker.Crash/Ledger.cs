using System.Collections.Concurrent;
using ErrorTracker.Counters;
using ErrorTracker.Hosting;
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

    /// <param name="answeredWhatItTook">From this one on, whatever answer was lost, the event must not be stored: the host ended in good order.</param>
    public async Task CompareAsync(NpgsqlDataSource database, int? answeredWhatItTook, CancellationToken stop)
    {
        var stored = await StoredAsync(database, stop);
        foreach (var (sent, place) in _sent.Select((sent, place) => (sent, place)))
        {
            stored.Remove(sent.Trace, out var ids);
            if (ids is null && sent.IsAcknowledged) Fault(FaultKind.Lost, $"{sent}");
            if (ids is { Count: > 1 }) Fault(FaultKind.Doubled, $"{sent}; stored as {string.Join(", ", ids)}");
            if (ids is not null && !sent.IsAcknowledged && !(sent.IsUnknown && sent.IsValid)) Fault(FaultKind.RefusedButStored, $"{sent}; stored as {ids[0]}");
            if (ids is not null && !sent.IsAcknowledged && sent.IsUnknown && place >= answeredWhatItTook) Fault(FaultKind.Answer, $"stored and not answered by a host that ended in good order: {sent}");
            if (ids is not null && sent.StoredAs is { } id && !ids.Contains(id)) Fault(FaultKind.Answer, $"{sent}; answered as {id}, stored as {ids[0]}");
        }
        foreach (var (trace, _) in stored) Fault(FaultKind.RefusedButStored, $"event {trace} was never sent");
    }

    private static async Task<Dictionary<long, List<Guid>>> StoredAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        var stored = new Dictionary<long, List<Guid>>();
        await using var command = database.CreateCommand($"select (data->'tags'->>'trace')::bigint, id from {LogSchema.Name}.mt_events where {CounterFold.IsError}");
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
            if (stored.TryGetValue(reader.GetInt64(0), out var ids)) ids.Add(reader.GetGuid(1));
            else stored[reader.GetInt64(0)] = [reader.GetGuid(1)];
        return stored;
    }
}
