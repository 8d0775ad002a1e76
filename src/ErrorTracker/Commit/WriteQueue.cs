using ErrorTracker.Log;

namespace ErrorTracker.Commit;

/// <summary>
/// Group commit: requests put their events on a bounded queue, and are answered after the commit that holds them. Each
/// database has a queue and lanes of its own, so that no commit ever spans two.
/// </summary>
/// <param name="databases">Each gets its lanes here.</param>
/// <param name="lanesOf">Makes the lanes of one.</param>
public sealed class WriteQueue(LogDatabases databases, Func<LogDatabase, CommitLanes> lanesOf) : IHostedService
{
    private readonly Dictionary<LogDatabase, CommitLanes> _lanes =
        databases.All.ToDictionary(database => database, lanesOf);

    /// <summary>Events that wait for a commit.</summary>
    public long Waiting => _lanes.Values.Sum(lanes => lanes.Waiting);

    /// <summary>
    /// False if the application has its share of the queue, or the host is stopping: nothing was taken.
    /// </summary>
    public bool TryEnqueue(PendingEvent pending) => _lanes[databases.Of(pending.ApplicationId)].TryEnqueue(pending);

    /// <summary>
    /// Why events cannot be committed; null if they can. Some time after a failure that no other commit followed, a
    /// database is probed with a small commit.
    /// </summary>
    public async Task<string?> ProbeAsync(CancellationToken stop)
    {
        foreach (var lanes in _lanes.Values)
            if (await lanes.Commits.ProbeAsync(stop) is { } failure) return failure;
        return null;
    }

    public Task StartAsync(CancellationToken stop)
    {
        foreach (var lanes in _lanes.Values) lanes.Start();
        return Task.CompletedTask;
    }

    /// <summary>The web server has stopped before this: what it accepted is committed and answered now.</summary>
    public Task StopAsync(CancellationToken stop) => Task.WhenAll(_lanes.Values.Select(lanes => lanes.StopAsync()));
}
