using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Commit;

/// <summary>
/// Appends a group of events to one database in one transaction, and answers each of them. What became of a group whose
/// connection was lost is found out by appending it again: its events have ids, and an id is stored once.
/// </summary>
/// <remarks>
/// An event is refused only if it is not stored: as long as a commit is in doubt, for a minute at most, its events are
/// neither acknowledged nor refused. Events that were stored before are answered first: an append that failed would
/// leave a gap in the sequence, at which the projection waits.
/// </remarks>
public sealed class GroupCommit(
    LogDatabase database, CommitSignal committed, IngestMetrics metrics, TimeProvider clock, ILogger<GroupCommit> log)
{
    /// <summary>The smallest commit that there is; it writes nothing that anybody reads.</summary>
    private const string EmptyCommit = "select pg_logical_emit_message(true, 'errortracker', '')";

    /// <summary>So long after a failure it is worth finding out whether it is over.</summary>
    private static readonly TimeSpan ProbeAfter = TimeSpan.FromSeconds(5);

    private readonly Repeats _repeats = new(database);
    private readonly InFlight _inFlight = new();
    private volatile string? _failure;
    private long _failedAt;

    /// <summary>
    /// Why events cannot be committed; null if they can. Some time after a failure that no other commit followed, this
    /// commits something itself to find out.
    /// </summary>
    public async Task<string?> ProbeAsync(CancellationToken stop)
    {
        if (_failure is null || clock.GetElapsedTime(Volatile.Read(ref _failedAt)) < ProbeAfter) return _failure;
        try
        {
            await using var command = database.Lanes.CreateCommand(EmptyCommit);
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

    /// <summary>
    /// The lane takes out events whose id an earlier event of the group has. It orders the others that their senders
    /// named by their ids: two writers that had the same ids in different orders would wait for each other.
    /// </summary>
    private static List<PendingEvent> TakeRepeated(List<PendingEvent> group)
    {
        var named = group.Where(pending => pending.MayRepeat).ToList();
        if (named.Count == 0) return [];
        var firstOfEachId = named.DistinctBy(pending => pending.Id).OrderBy(pending => pending.Id).ToList();
        group.RemoveAll(pending => pending.MayRepeat);
        group.AddRange(firstOfEachId);
        return [.. named.Except(firstOfEachId)];
    }

    /// <summary>Tries until each event of the group is answered.</summary>
    /// <param name="group">Of different ids.</param>
    /// <param name="again">Of ids that others before them have: those that are answered are taken out of it.</param>
    /// <param name="segments">Of the lane.</param>
    /// <param name="suspectedAt">
    /// When a group that this is a part of was split on suspicion; null if it was not.
    /// </param>
    private async Task StoreAsync(
        List<PendingEvent> group, List<PendingEvent> again, Segments segments, long? suspectedAt = null)
    {
        var startedAt = clock.GetTimestamp();
        var doubt = new Doubt();
        for (var attempt = 1; ; attempt++)
            try
            {
                await TryStoreAsync(group, again, segments, doubt);
                return;
            }
            catch (Exception failure)
            {
                segments.Abandon();
                var refusal = RefusalOf(failure);
                doubt.IsIdTaken |= refusal?.SqlState == PostgresErrorCodes.UniqueViolation;
                TimeSpan? suspectedFor = suspectedAt is { } since ? clock.GetElapsedTime(since) : null;
                var failed = new FailedCommit(
                    group.Count, attempt, clock.GetElapsedTime(startedAt), doubt.IsOpen, suspectedFor, refusal);
                switch (CommitRetry.After(failed))
                {
                    case NextStep.RetryAtOnce:
                        continue;
                    case NextStep.RetryAfterPause:
                        Note(failure);
                        await Task.Delay(CommitRetry.PauseAfter(attempt));
                        continue;
                    case NextStep.Split:
                        await StoreApartAsync(group, segments, failure, suspectedAt);
                        return;
                    case NextStep.SplitOnSuspicion:
                        await StoreApartAsync(group, segments, failure, suspectedAt ?? clock.GetTimestamp());
                        return;
                    default:
                        GiveUp(group, again, failure, doubt);
                        return;
                }
            }
    }

    /// <summary>One attempt. Events that turn out to be stored are answered and taken out of the group.</summary>
    private async Task TryStoreAsync(
        List<PendingEvent> group, List<PendingEvent> again, Segments segments, Doubt doubt)
    {
        await AwaitStandbyAsync(doubt);
        await AnswerStoredAsync(group, again, doubt);
        if (group.Count == 0) return;

        using var span = IngestMetrics.StartCommit(group.Count);
        var start = clock.GetTimestamp();
        await AppendAsync(group, segments, doubt);
        committed.Set();
        metrics.Committed(group.Count, clock.GetElapsedTime(start));
        Settle(group, pending => new(Fate.Stored, pending.ReceivedAt));
        _failure = null;
    }

    /// <summary>One event that the database refuses does not cost those that wait with it.</summary>
    private async Task StoreApartAsync(
        List<PendingEvent> group, Segments segments, Exception failure, long? suspectedAt)
    {
        if (group.Count == 1)
        {
            log.LogError("PostgreSQL refuses an event: SQLSTATE {Reason}", RefusalOf(failure)?.SqlState);
            group[0].GiveUp();
            return;
        }
        var half = group.Count / 2;
        await StoreAsync(group[..half], [], segments, suspectedAt);
        await StoreAsync(group[half..], [], segments, suspectedAt);
    }

    /// <summary>Also those whose ids are repeated: each of them would be tried as long.</summary>
    private void GiveUp(List<PendingEvent> group, List<PendingEvent> again, Exception failure, Doubt doubt)
    {
        var inDoubt = doubt.IsOpen ? " and is in doubt" : "";
        log.LogError(failure, "A commit of {Events} events failed{Doubt}.", group.Count, inDoubt);
        foreach (var pending in group.Concat(again)) pending.GiveUp();
        again.Clear();
    }

    /// <summary>For whoever asks whether events can be committed.</summary>
    private void Note(Exception failure)
    {
        Volatile.Write(ref _failedAt, clock.GetTimestamp());
        _failure = (failure.InnerException ?? failure).Message;
    }

    /// <summary>
    /// Answers the events that the log has already, and takes them out. Those that repeat an id are answered together,
    /// once the first is stored: one by one they would cost a trip each, and keep the lane from others.
    /// </summary>
    private async Task AnswerStoredAsync(List<PendingEvent> group, List<PendingEvent> again, Doubt doubt)
    {
        var mayAllBeStored = doubt.IsOpen || doubt.IsIdTaken;
        var candidates = mayAllBeStored ? group : group.FindAll(pending => pending.MayRepeat);
        if (candidates.Count == 0) return;
        var stored = await _repeats.FindAsync(candidates, again, doubt.IsOpen);
        if (stored.Count == 0) return;
        Settle([.. stored.Keys], pending => stored[pending]);
        group.RemoveAll(stored.ContainsKey);
        again.RemoveAll(stored.ContainsKey);
    }

    /// <summary>
    /// Requests are answered one after another by one thread of the pool, not each by one that it wakes; the lane goes
    /// on meanwhile.
    /// </summary>
    private void Settle(List<PendingEvent> group, Func<PendingEvent, Settlement> outcome)
    {
        var settled = group.Select(pending => (Pending: pending, Outcome: outcome(pending))).ToList();
        ThreadPool.UnsafeQueueUserWorkItem(_ =>
        {
            foreach (var (pending, fate) in settled)
            {
                if (pending.Kind.IsError) metrics.Settled(fate.Fate);
                pending.Settled.TrySetResult(fate);
            }
        }, null);
    }

    /// <summary>
    /// One trip and one transaction. Once it is sent, only the server's word that it failed tells that it did.
    /// </summary>
    private async Task AppendAsync(List<PendingEvent> group, Segments segments, Doubt doubt)
    {
        await using var connection = await database.Lanes.OpenConnectionAsync();
        await using var append = ToAppend(group, segments, connection);
        try
        {
            await ExecuteOnStandbyTooAsync(connection, append.ExecuteNonQueryAsync);
        }
        catch (Exception e) when (e is not PostgresException { Severity: "ERROR" })
        {
            doubt.IsOpen = true;
            doubt.AwaitsStandby |= e is StandbyAwayException;
            throw;
        }
    }

    private static NpgsqlBatch ToAppend(List<PendingEvent> group, Segments segments, NpgsqlConnection connection)
    {
        var append = new LogAppend(group.Count);
        var written = new HashSet<Segment>();
        foreach (var pending in group)
        {
            var segment = segments.For(pending.ApplicationId, pending.ReceivedAt);
            segment.Version++;
            written.Add(segment);
            append.Add(
                pending.Kind, pending.Id, segment.Stream, segment.Version, segment.Tenant,
                pending.ReceivedAt, pending.Data, pending.Headers);
        }
        var streams = written.Select(segment => (segment.Tenant, segment.Stream, segment.Version)).ToList();
        return append.ToBatch(streams, connection);
    }

    /// <summary>
    /// What is stored but perhaps not on the synchronous standby is there once a later commit is: standbys receive
    /// commits in their order.
    /// </summary>
    private async Task AwaitStandbyAsync(Doubt doubt)
    {
        if (!doubt.AwaitsStandby) return;
        await using var connection = await database.Lanes.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(EmptyCommit, connection);
        await ExecuteOnStandbyTooAsync(connection, command.ExecuteNonQueryAsync);
        doubt.AwaitsStandby = false;
    }

    /// <summary>
    /// A commit that waits for its synchronous standby is committed on this server when it is cancelled, and PostgreSQL
    /// answers it as done, with a warning.
    /// </summary>
    /// <exception cref="StandbyAwayException">It was committed here, and perhaps nowhere else.</exception>
    private static async Task ExecuteOnStandbyTooAsync(
        NpgsqlConnection connection, Func<CancellationToken, Task<int>> execute)
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
        if (warning is { InvariantSeverity: "WARNING", Routine: "SyncRepWaitForLSN" })
            throw new StandbyAwayException(warning.MessageText);
    }

    private static PostgresException? RefusalOf(Exception failure) =>
        failure as PostgresException ?? failure.InnerException as PostgresException;

    /// <summary>A commit whose answer was cut off while it waited for a synchronous standby.</summary>
    private sealed class StandbyAwayException(string warning) : Exception(warning);

    /// <summary>What is not known of a group whose commit has failed.</summary>
    private sealed class Doubt
    {
        /// <summary>
        /// A commit was sent and not answered: nobody knows what became of it, until the events are looked for and, if
        /// they are not there, stored.
        /// </summary>
        public bool IsOpen { get; set; }

        /// <summary>One of the ids is in the log, from another commit.</summary>
        public bool IsIdTaken { get; set; }

        /// <summary>It is stored here, but perhaps not yet on the standby that it must be on.</summary>
        public bool AwaitsStandby { get; set; }
    }
}
