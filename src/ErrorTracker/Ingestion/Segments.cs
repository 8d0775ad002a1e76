namespace ErrorTracker.Ingestion;

/// <summary>
/// The streams a lane is writing: a segment for each application and day, owned by one lane, because two writers on one stream collide. After a commit
/// that failed they are abandoned: how far they got is unknown.
/// </summary>
public sealed class Segments
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
