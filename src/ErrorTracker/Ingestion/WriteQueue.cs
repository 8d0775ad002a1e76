using System.Threading.Channels;
using JasperFx.Events;
using Marten;
using Npgsql;

namespace ErrorTracker.Ingestion;

/// <summary>
/// Group commit: requests put their events on a bounded queue; each of a few lanes takes what waits, appends it in one session,
/// commits, and only then answers the requests. No artificial delay: while one commit runs, the next one's events gather.
/// A stream is a segment owned by one lane (application × lane × day), because two writers on one stream collide.
/// </summary>
public sealed class WriteQueue(IDocumentStore store, Repeats repeats, ILogger<WriteQueue> log) : IHostedService
{
    private const int Lanes = 2, Capacity = 10_000, MostInCommit = 500, BytesInCommit = 1024 * 1024;

    private readonly Channel<PendingEvent> _waiting = Channel.CreateBounded<PendingEvent>(Capacity);
    private Task _lanes = Task.CompletedTask;

    /// <summary>False if the queue is full or the host is stopping: nothing was taken.</summary>
    public bool TryEnqueue(PendingEvent pending) => _waiting.Writer.TryWrite(pending);

    public Task StartAsync(CancellationToken stop)
    {
        _lanes = Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(RunLaneAsync, CancellationToken.None)));
        return Task.CompletedTask;
    }

    /// <summary>The web server has stopped before this: what it accepted is committed and answered now.</summary>
    public Task StopAsync(CancellationToken stop)
    {
        _waiting.Writer.TryComplete();
        return _lanes.WaitAsync(stop);
    }

    private async Task RunLaneAsync()
    {
        var segments = new Segments();
        while (await _waiting.Reader.WaitToReadAsync())
        {
            var group = TakeGroup();
            if (group.Count > 0) await CommitAsync(group, segments);
        }
    }

    private List<PendingEvent> TakeGroup()
    {
        var group = new List<PendingEvent>();
        for (var bytes = 0; group.Count < MostInCommit && bytes < BytesInCommit && _waiting.Reader.TryRead(out var next); bytes += next.Size) group.Add(next);
        return group;
    }

    /// <summary>
    /// Appends and answers a group. Those that were stored before are answered first: an append that failed would leave a gap in the sequence, at which
    /// the projection waits. If others were faster the rest is tried again; where the data is at fault each event is tried alone. An id that the group
    /// has twice is committed before it is looked at again.
    /// </summary>
    private async Task CommitAsync(List<PendingEvent> group, Segments segments)
    {
        var again = TakeRepeated(group);
        await AnswerStoredAsync(group);
        try
        {
            await AppendAsync(group, segments);
            foreach (var pending in group) pending.Settled.SetResult(new(Fate.Stored, pending.ReceivedAt));
        }
        catch (Exception failure)
        {
            var state = (failure as PostgresException ?? failure.InnerException as PostgresException)?.SqlState;
            if (state == PostgresErrorCodes.UniqueViolation && await AnswerStoredAsync(group) || state == PostgresErrorCodes.DeadlockDetected) again.InsertRange(0, group);
            else if (group.Count > 1 && IsAboutTheData(state))
                foreach (var pending in group) await CommitAsync([pending], segments);
            else
            {
                segments.Abandon();
                log.LogError("A commit of {Events} events failed: {Reason}", group.Count, (failure.InnerException ?? failure).Message);
                foreach (var pending in group) pending.Settled.SetException(failure);
            }
        }
        if (again.Count > 0) await CommitAsync(again, segments);
    }

    /// <summary>Takes those out of the group whose id another one before them has.</summary>
    private static List<PendingEvent> TakeRepeated(List<PendingEvent> group)
    {
        var (ids, repeated) = (new HashSet<Guid>(), new List<PendingEvent>());
        group.RemoveAll(pending =>
        {
            if (!pending.MayRepeat || ids.Add(pending.Id)) return false;
            repeated.Add(pending);
            return true;
        });
        return repeated;
    }

    /// <summary>Answers those that the log has already, and takes them out of the group. False if it has none, or cannot be asked.</summary>
    private async Task<bool> AnswerStoredAsync(List<PendingEvent> group)
    {
        try
        {
            var stored = await repeats.FindAsync(group);
            return group.RemoveAll(pending => stored.TryGetValue(pending.Id, out var outcome) && pending.Settled.TrySetResult(outcome)) > 0;
        }
        catch (Exception)
        {
            return false; // the append will tell what is wrong
        }
    }

    private async Task AppendAsync(List<PendingEvent> group, Segments segments)
    {
        if (group.Count == 0) return;
        await using var session = store.LightweightSession();
        foreach (var segment in group.GroupBy(p => segments.For(p.ApplicationId, p.ReceivedAt)))
            session.ForTenant(segment.First().ApplicationId.ToString())
                .Events.Append(segment.Key, segment.Select(p => (object)new Event<ErrorOccurred>(p.Error) { Id = p.Id, Timestamp = p.ReceivedAt }));
        await session.SaveChangesAsync();
    }

    /// <summary>SQLSTATE class 22 is a data exception and 54 a limit.</summary>
    private static bool IsAboutTheData(string? state) => state is not null && (state.StartsWith("22") || state.StartsWith("54"));

    /// <summary>The streams a lane is writing. After a commit that failed for a reason of its own they are abandoned: how far they got is unknown.</summary>
    private sealed class Segments
    {
        private readonly Dictionary<int, (DateOnly Day, Guid Stream)> _open = [];

        public Guid For(int applicationId, DateTimeOffset at)
        {
            var day = DateOnly.FromDateTime(at.UtcDateTime);
            if (!_open.TryGetValue(applicationId, out var segment) || segment.Day != day)
                _open[applicationId] = segment = (day, Guid.CreateVersion7());
            return segment.Stream;
        }

        public void Abandon() => _open.Clear();
    }
}
