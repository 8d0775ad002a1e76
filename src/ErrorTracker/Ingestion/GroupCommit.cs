using Npgsql;

namespace ErrorTracker.Ingestion;

/// <summary>
/// Appends a group of events in one transaction and answers each of them. What becomes of a group whose connection is lost is found out by appending it
/// again: its events have ids, and an id is stored once.
/// </summary>
/// <remarks>
/// An event is refused only if it is not stored: as long as a commit is in doubt its events are neither acknowledged nor refused, for a minute at most.
/// Those that were stored before are answered first: an append that failed would leave a gap in the sequence, at which the projection waits.
/// </remarks>
public sealed class GroupCommit(LogConnections connections, Repeats repeats, IngestMetrics metrics, TimeProvider clock, ILogger<GroupCommit> log)
{
    private const int MostAttempts = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), InDoubt = TimeSpan.FromMinutes(1), LongestPause = TimeSpan.FromMilliseconds(500);

    private volatile string? _failure;
    private long _failedAt;

    /// <summary>Why events cannot be committed; null if they can. Some time after a failure that no other commit followed this writes something itself.</summary>
    public async Task<string?> FindFailureAsync(CancellationToken stop)
    {
        if (_failure is null || clock.GetElapsedTime(Volatile.Read(ref _failedAt)) < Patience) return _failure;
        try
        {
            await using var command = connections.Source.CreateCommand("select pg_logical_emit_message(true, 'errortracker', '')");
            await command.ExecuteNonQueryAsync(stop);
            return _failure = null;
        }
        catch (NpgsqlException failure)
        {
            return _failure = failure.Message;
        }
    }

    /// <param name="group">At least one event.</param>
    /// <param name="segments">Of the lane.</param>
    public async Task CommitAsync(List<PendingEvent> group, Segments segments)
    {
        while (group.Count > 0)
        {
            var again = TakeRepeated(group);
            await StoreAsync(group, segments);
            group = again; // an id that the group has twice is committed before it is looked at again
        }
    }

    /// <summary>Takes those out of the group whose id another one before them has. Two writers that have the same ids take them in the same order, lest each waits for the other.</summary>
    private static List<PendingEvent> TakeRepeated(List<PendingEvent> group)
    {
        var named = group.Where(pending => pending.MayRepeat).ToList();
        if (named.Count == 0) return [];
        group.RemoveAll(pending => pending.MayRepeat);
        group.AddRange(named.DistinctBy(pending => pending.Id).OrderBy(pending => pending.Id));
        return [.. named.Except(group)];
    }

    private async Task StoreAsync(List<PendingEvent> group, Segments segments)
    {
        var (started, doubt, raced) = (clock.GetTimestamp(), new Doubt(), false);
        for (var attempt = 1; ; attempt++)
            try
            {
                await AnswerStoredAsync(group, doubt.IsOpen, raced);
                if (group.Count == 0) return;
                using var span = IngestMetrics.StartCommit(group.Count);
                var start = clock.GetTimestamp();
                await AppendAsync(group, segments, doubt);
                metrics.Committed(group.Count, clock.GetElapsedTime(start));
                Settle(group, pending => new(Fate.Stored, pending.ReceivedAt));
                _failure = null;
                return;
            }
            catch (Exception failure)
            {
                segments.Abandon();
                var refusal = failure as PostgresException ?? failure.InnerException as PostgresException;
                raced |= refusal?.SqlState == PostgresErrorCodes.UniqueViolation;
                if (IsAboutTheData(refusal?.SqlState))
                {
                    await StoreApartAsync(group, segments, failure);
                    return;
                }
                if (attempt == MostAttempts || clock.GetElapsedTime(started) > (doubt.IsOpen ? InDoubt : Patience))
                {
                    var inDoubt = doubt.IsOpen ? " and is in doubt" : "";
                    log.LogError(failure, "A commit of {Events} events failed{Doubt}.", group.Count, inDoubt);
                    foreach (var pending in group) pending.Settled.TrySetException(failure);
                    return;
                }
                if (refusal?.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected) continue;
                Volatile.Write(ref _failedAt, clock.GetTimestamp());
                _failure = (failure.InnerException ?? failure).Message;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(20 << Math.Min(attempt, 10), LongestPause.TotalMilliseconds)));
            }
    }

    /// <summary>One event that the database refuses does not cost those that wait with it.</summary>
    private async Task StoreApartAsync(List<PendingEvent> group, Segments segments, Exception failure)
    {
        if (group.Count == 1)
        {
            var refusal = failure as PostgresException ?? failure.InnerException as PostgresException;
            log.LogError("PostgreSQL refuses an event: SQLSTATE {Reason}", refusal?.SqlState);
            group[0].Settled.TrySetException(failure);
            return;
        }
        var half = group.Count / 2;
        await StoreAsync(group[..half], segments);
        await StoreAsync(group[half..], segments);
    }

    /// <summary>Answers those that the log has already, and takes them out of the group.</summary>
    private async Task AnswerStoredAsync(List<PendingEvent> group, bool inDoubt, bool raced)
    {
        var candidates = inDoubt || raced ? group : group.FindAll(pending => pending.MayRepeat);
        if (candidates.Count == 0) return;
        var stored = await repeats.FindAsync(candidates, inDoubt);
        if (stored.Count == 0) return;
        Settle(group.FindAll(pending => stored.ContainsKey(pending.Id)), pending => stored[pending.Id]);
        group.RemoveAll(pending => stored.ContainsKey(pending.Id));
    }

    /// <summary>Their requests are answered one after another by one thread of the pool, not each by one that it wakes; the lane goes on meanwhile.</summary>
    private void Settle(List<PendingEvent> group, Func<PendingEvent, Outcome> outcome)
    {
        var settled = group.Select(pending => (Pending: pending, Outcome: outcome(pending))).ToList();
        ThreadPool.UnsafeQueueUserWorkItem(_ =>
        {
            foreach (var (pending, fate) in settled)
            {
                if (pending.IsError) metrics.Settled(fate.Fate);
                pending.Settled.TrySetResult(fate);
            }
        }, null);
    }

    /// <summary>One trip and one transaction. Once it is sent, only the server's word that it failed tells that it did.</summary>
    private async Task AppendAsync(List<PendingEvent> group, Segments segments, Doubt doubt)
    {
        await using var connection = await connections.Source.OpenConnectionAsync();
        await using var append = LogAppend.Of(group, segments, connection);
        try
        {
            await append.ExecuteNonQueryAsync();
        }
        catch (Exception e) when (e is not PostgresException { Severity: "ERROR" })
        {
            doubt.IsOpen = true;
            throw;
        }
    }

    /// <summary>SQLSTATE class 22 is a data exception and 54 a limit.</summary>
    private static bool IsAboutTheData(string? state) => state is not null && (state.StartsWith("22") || state.StartsWith("54"));

    /// <summary>Whether a commit was sent and not answered: then nobody knows what became of it, until the events are looked for and, if they are not there, stored.</summary>
    private sealed class Doubt
    {
        public bool IsOpen { get; set; }
    }
}
