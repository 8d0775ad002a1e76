namespace ErrorTracker.Ingestion;

/// <summary>A stream that one lane alone writes, with the events of one day.</summary>
public sealed class Segment(DateOnly day)
{
    public DateOnly Day => day;

    public Guid Stream { get; } = Guid.CreateVersion7();

    /// <summary>Events in it.</summary>
    public long Version { get; set; }
}

/// <summary>
/// The streams a lane is writing: a segment for each application and day, owned by one lane, because two writers on one stream collide. After a commit
/// that failed they are abandoned: how far they got is unknown.
/// </summary>
public sealed class Segments
{
    private readonly Dictionary<int, Segment> _open = [];

    public Segment For(int applicationId, DateTimeOffset at)
    {
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        if (!_open.TryGetValue(applicationId, out var segment) || segment.Day != day)
            _open[applicationId] = segment = new(day);
        return segment;
    }

    public void Abandon() => _open.Clear();
}
