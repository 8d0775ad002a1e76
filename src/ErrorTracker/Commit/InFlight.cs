namespace ErrorTracker.Commit;

/// <summary>
/// Ids of events, named by their senders, that the lanes of this node are committing. An id is committed by one lane at
/// a time: an append that failed because another one has stored the id first would have drawn sequence numbers that no
/// event ever gets, and the projections wait at such a gap.
/// </summary>
internal sealed class InFlight
{
    private readonly Dictionary<Guid, TaskCompletionSource> _ids = [];

    /// <summary>
    /// Claims the ids of a group's events. Events whose ids another lane has claimed are taken out of the group.
    /// </summary>
    /// <returns>The events that were taken out.</returns>
    public List<PendingEvent> Claim(List<PendingEvent> group)
    {
        if (!group.Exists(pending => pending.MayRepeat)) return [];
        var released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_ids)
        {
            var busy = group.FindAll(pending => pending.MayRepeat && !_ids.TryAdd(pending.Id, released));
            if (busy.Count == 0) return busy;
            var ids = busy.Select(pending => pending.Id).ToHashSet();
            group.RemoveAll(pending => ids.Contains(pending.Id));
            return busy;
        }
    }

    public void Release(List<PendingEvent> claimed)
    {
        if (claimed.Count == 0) return;
        TaskCompletionSource? released = null;
        lock (_ids)
            foreach (var pending in claimed)
                _ids.Remove(pending.Id, out released);
        released!.SetResult();
    }

    /// <summary>Completes when the lanes that have claimed the ids of these events have released them.</summary>
    public Task ReleasedAsync(List<PendingEvent> busy)
    {
        lock (_ids)
        {
            var claims = busy.Select(pending => _ids.GetValueOrDefault(pending.Id)?.Task ?? Task.CompletedTask);
            return Task.WhenAll(claims.Distinct().ToList());
        }
    }
}
