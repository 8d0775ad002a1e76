using System.Threading.Channels;

namespace ErrorTracker.Commit;

/// <summary>
/// The queue and the lanes of one database: each of a few lanes takes what waits, commits it, and only then answers the
/// requests. It adds no delay: while one commit runs, the next one's events gather.
/// </summary>
public sealed class CommitLanes(GroupCommit commits, TimeProvider clock, ILogger<CommitLanes> log)
{
    private const int Lanes = 2, MostInCommit = 500, BytesInCommit = 1024 * 1024;

    /// <summary>An event that has waited longer is refused: its sender has given up, or will soon.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    private readonly FairQueue _queue = new();

    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(Lanes) { FullMode = BoundedChannelFullMode.DropWrite });

    private Task _running = Task.CompletedTask;

    /// <summary>Events that wait for a commit.</summary>
    public long Waiting => _queue.Waiting;

    public GroupCommit Commits => commits;

    /// <summary>
    /// False if the application has its share of the queue, or the host is stopping: nothing was taken.
    /// </summary>
    public bool TryEnqueue(PendingEvent pending)
    {
        pending.EnqueuedAt = clock.GetTimestamp();
        if (!_queue.TryAdd(pending)) return false;
        _wake.Writer.TryWrite(true);
        return true;
    }

    public void Start() =>
        _running = Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(RunLaneAsync, CancellationToken.None)));

    /// <summary>Takes no more events, and completes when those that it has taken are committed and answered.</summary>
    public Task StopAsync()
    {
        _queue.Close();
        _wake.Writer.TryComplete();
        return _running.WaitAsync(StopTimeout, CancellationToken.None); // however much of its time the host has used up
    }

    private async Task RunLaneAsync()
    {
        var segments = new Segments();
        while (true)
        {
            var group = _queue.Take(MostInCommit, BytesInCommit);
            if (group.Count > 0) await CommitAsync(group, segments);
            else if (!await _wake.Reader.WaitToReadAsync()) break;
            else _wake.Reader.TryRead(out _);
        }
    }

    /// <summary>Whatever happens to a group, each of its events is answered and the lane goes on.</summary>
    private async Task CommitAsync(List<PendingEvent> group, Segments segments)
    {
        try
        {
            RefuseLate(group);
            await commits.CommitAsync([.. group.Where(pending => !pending.Settled.Task.IsCompleted)], segments);
        }
        catch (Exception failure)
        {
            log.LogError(failure, "A commit of {Events} events failed.", group.Count);
            segments.Abandon();
            foreach (var pending in group) pending.GiveUp();
        }
    }

    private void RefuseLate(List<PendingEvent> group)
    {
        var late = group.FindAll(pending => clock.GetElapsedTime(pending.EnqueuedAt) > LongestWait);
        if (late.Count == 0) return;
        log.LogWarning("{Events} events waited too long for a commit.", late.Count);
        var timeout = new TimeoutException("It waited too long for a commit.");
        foreach (var pending in late) pending.GiveUp();
    }
}
