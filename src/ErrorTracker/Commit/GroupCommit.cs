using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Commit;

/// <summary>
/// Appends a group of events in one transaction and answers each of them. What becomes of a group whose connection is lost is found out by appending it
/// again: its events have ids, and an id is stored once.
/// </summary>
/// <remarks>
/// An event is refused only if it is not stored: as long as a commit is in doubt its events are neither acknowledged nor refused, for a minute at most.
/// Those that were stored before are answered first: an append that failed would leave a gap in the sequence, at which the projection waits.
/// </remarks>
public sealed class GroupCommit(LogDatabase database, CommitSignal committed, Repeats repeats, IngestMetrics metrics, TimeProvider clock, ILogger<GroupCommit> log)
{
    private const int MostAttempts = 100;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5), InDoubt = TimeSpan.FromMinutes(1), LongestPause = TimeSpan.FromMilliseconds(500);

    private readonly InFlight _inFlight = new();
    private volatile string? _failure;
    private long _failedAt;

    /// <summary>Why events cannot be committed; null if they can. Some time after a failure that no other commit followed this writes something itself.</summary>
    public async Task<string?> FindFailureAsync(CancellationToken stop)
    {
        if (_failure is null || clock.GetElapsedTime(Volatile.Read(ref _failedAt)) < Patience) return _failure;
        try
        {
            await using var command = database.Lanes.CreateCommand("select pg_logical_emit_message(true, 'errortracker', '')");
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
            var busy = _inFlight.Claim(group);
            var claimed = group.Where(pending => pending.MayRepeat).ToList();
            try
            {
                if (group.Count > 0) await StoreAsync(group, again, segments);
            }
            finally
            {
                _inFlight.Release(claimed);
            }
            if (busy.Count > 0) await _inFlight.ReleasedAsync(busy);
            group = [.. again, .. busy]; // an id that is sent twice is committed before it is looked at again
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

    /// <param name="group">Of different ids. Each is answered.</param>
    /// <param name="again">Of ids that others before them have: those that are answered are taken out of it.</param>
    /// <param name="segments">Of the lane.</param>
    /// <param name="apartSince">Null unless the group is a part of one that was tried in vain: then it is tried once.</param>
    private async Task StoreAsync(
        List<PendingEvent> group, List<PendingEvent> again, Segments segments, long? apartSince = null)
    {
        var (started, doubt, raced) = (clock.GetTimestamp(), new Doubt(), false);
        for (var attempt = 1; ; attempt++)
            try
            {
                await AwaitStandbyAsync(doubt);
                await AnswerStoredAsync(group, again, doubt.IsOpen, raced);
                if (group.Count == 0) return;
                using var span = IngestMetrics.StartCommit(group.Count);
                var start = clock.GetTimestamp();
                await AppendAsync(group, segments, doubt);
                committed.Set();
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
                if (IsPermanent(refusal))
                {
                    await StoreApartAsync(group, segments, failure, apartSince);
                    return;
                }
                var patience = doubt.IsOpen ? InDoubt : apartSince is null ? Patience : TimeSpan.Zero;
                if (attempt == MostAttempts || clock.GetElapsedTime(started) > patience)
                {
                    if (MayLieInOneEvent(group, refusal, doubt, apartSince))
                    {
                        await StoreApartAsync(group, segments, failure, apartSince ?? clock.GetTimestamp());
                        return;
                    }
                    var inDoubt = doubt.IsOpen ? " and is in doubt" : "";
                    log.LogError(failure, "A commit of {Events} events failed{Doubt}.", group.Count, inDoubt);
                    foreach (var pending in group.Concat(again)) pending.GiveUp();
                    again.Clear(); // or each of them would be tried as long
                    return;
                }
                if (refusal?.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected) continue;
                Volatile.Write(ref _failedAt, clock.GetTimestamp());
                _failure = (failure.InnerException ?? failure).Message;
                await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(20 << Math.Min(attempt, 10), LongestPause.TotalMilliseconds)));
            }
    }

    /// <summary>One event that the database refuses does not cost those that wait with it.</summary>
    private async Task StoreApartAsync(List<PendingEvent> group, Segments segments, Exception failure, long? apartSince)
    {
        if (group.Count == 1)
        {
            var refusal = failure as PostgresException ?? failure.InnerException as PostgresException;
            log.LogError("PostgreSQL refuses an event: SQLSTATE {Reason}", refusal?.SqlState);
            group[0].GiveUp();
            return;
        }
        var half = group.Count / 2;
        await StoreAsync(group[..half], [], segments, apartSince);
        await StoreAsync(group[half..], [], segments, apartSince);
    }

    /// <summary>
    /// A refusal that is said to pass, and has not: a trigger may raise any SQLSTATE for one event. The parts are tried for
    /// a few seconds, as each may be refused only after a time, such as that of a lock.
    /// </summary>
    private bool MayLieInOneEvent(List<PendingEvent> group, PostgresException? refusal, Doubt doubt, long? apartSince) =>
        group.Count > 1 && refusal is { Severity: "ERROR" } && !doubt.IsOpen
        && (apartSince is not { } since || clock.GetElapsedTime(since) < Patience);

    /// <summary>
    /// Answers those that the log has already, and takes them out. Those that repeat an id are answered together, once
    /// the first is stored: one by one they would cost a trip each, and keep the lane from others.
    /// </summary>
    private async Task AnswerStoredAsync(List<PendingEvent> group, List<PendingEvent> again, bool inDoubt, bool raced)
    {
        var candidates = inDoubt || raced ? group : group.FindAll(pending => pending.MayRepeat);
        if (candidates.Count == 0) return;
        var stored = await repeats.FindAsync(candidates, again, inDoubt);
        if (stored.Count == 0) return;
        Settle([.. stored.Keys], pending => stored[pending]);
        group.RemoveAll(stored.ContainsKey);
        again.RemoveAll(stored.ContainsKey);
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
        await using var connection = await database.Lanes.OpenConnectionAsync();
        await using var append = LogAppend.Of(group, segments, connection);
        try
        {
            await ExecuteAsync(connection, append.ExecuteNonQueryAsync);
        }
        catch (Exception e) when (e is not PostgresException { Severity: "ERROR" })
        {
            doubt.IsOpen = true;
            doubt.AwaitsStandby |= e is StandbyAwayException;
            throw;
        }
    }

    /// <summary>
    /// What is stored but perhaps not on the synchronous standby is there once a later commit is: standbys receive
    /// commits in their order.
    /// </summary>
    private async Task AwaitStandbyAsync(Doubt doubt)
    {
        if (!doubt.AwaitsStandby) return;
        await using var connection = await database.Lanes.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("select pg_logical_emit_message(true, 'errortracker', '')", connection);
        await ExecuteAsync(connection, command.ExecuteNonQueryAsync);
        doubt.AwaitsStandby = false;
    }

    /// <summary>
    /// A commit that waits for its synchronous standby is committed on this server when it is cancelled, and PostgreSQL
    /// answers it as done, with a warning.
    /// </summary>
    private static async Task ExecuteAsync(NpgsqlConnection connection, Func<CancellationToken, Task<int>> execute)
    {
        PostgresNotice? warning = null;
        void Note(object sender, NpgsqlNoticeEventArgs told) => warning = told.Notice;
        connection.Notice += Note;
        try
        {
            await execute(CancellationToken.None);
        }
        finally
        {
            connection.Notice -= Note;
        }
        if (warning is { InvariantSeverity: "WARNING" } && warning.Routine == "SyncRepWaitForLSN") throw new StandbyAwayException(warning.MessageText);
    }

    /// <summary>
    /// The server refuses what is sent, and would again. A connection that it refuses is no matter of the events, and an
    /// id that is taken is answered as stored.
    /// </summary>
    private static bool IsPermanent(PostgresException? refusal) =>
        refusal is { Severity: "ERROR", SqlState: not PostgresErrorCodes.UniqueViolation } && !DatabaseAway.IsPassing(refusal);

    /// <summary>A commit whose answer was cut off while it waited for a synchronous standby.</summary>
    private sealed class StandbyAwayException(string warning) : Exception(warning);

    /// <summary>Whether a commit was sent and not answered: then nobody knows what became of it, until the events are looked for and, if they are not there, stored.</summary>
    private sealed class Doubt
    {
        public bool IsOpen { get; set; }

        /// <summary>It is stored here, but perhaps not yet on the standby that it must be on.</summary>
        public bool AwaitsStandby { get; set; }
    }
}
