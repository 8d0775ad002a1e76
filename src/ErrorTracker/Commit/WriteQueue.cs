using System.Threading.Channels;

namespace ErrorTracker.Commit;

/// <summary>
/// Group commit: requests put their events on a bounded queue; each of a few lanes takes what waits, commits it, and only then answers the requests.
/// No artificial delay: while one commit runs, the next one's events gather.
/// </summary>
public sealed class WriteQueue(GroupCommit commits, TimeProvider clock, ILogger<WriteQueue> log) : IHostedService
{
    private const int Lanes = 2, MostInCommit = 500, BytesInCommit = 1024 * 1024;

    /// <summary>What waited longer is refused: its sender has given up, or will soon.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FairQueue _queue = new();
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(Lanes) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task _lanes = Task.CompletedTask;

    /// <summary>Events that wait for a commit.</summary>
    public long Waiting => _queue.Waiting;

    /// <summary>False if the application has its share of the queue, or the host is stopping: nothing was taken.</summary>
    public bool TryEnqueue(PendingEvent pending)
    {
        pending.EnqueuedAt = clock.GetTimestamp();
        if (!_queue.TryAdd(pending)) return false;
        _wake.Writer.TryWrite(true);
        return true;
    }

    public Task StartAsync(CancellationToken stop)
    {
        _lanes = Task.WhenAll(Enumerable.Range(0, Lanes).Select(_ => Task.Run(RunLaneAsync, CancellationToken.None)));
        return Task.CompletedTask;
    }

    /// <summary>The web server has stopped before this: what it accepted is committed and answered now.</summary>
    public Task StopAsync(CancellationToken stop)
    {
        _queue.Close();
        _wake.Writer.TryComplete();
        return _lanes.WaitAsync(Patience, CancellationToken.None); // however much of its time the host has used up
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
            var late = group.FindAll(pending => clock.GetElapsedTime(pending.EnqueuedAt) > Patience);
            if (late.Count > 0) log.LogWarning("{Events} events waited too long for a commit.", late.Count);
            foreach (var pending in late) pending.GiveUp();
            await commits.CommitAsync([.. group.Where(pending => !pending.Settled.Task.IsCompleted)], segments);
        }
        catch (Exception failure)
        {
            log.LogError(failure, "A commit of {Events} events failed.", group.Count);
            segments.Abandon();
            foreach (var pending in group) pending.GiveUp();
        }
    }
}
