using ErrorTracker.Log;

namespace ErrorTracker.Commit;

/// <summary>A stream that one lane alone writes, with the events of one application and one day.</summary>
public sealed class Segment(int applicationId, DateOnly day)
{
    public DateOnly Day => day;

    /// <summary>The tenant whose stream it is.</summary>
    public string Tenant { get; } = TenantId.Of(applicationId);

    public Guid Stream { get; } = Guid.CreateVersion7();

    /// <summary>Events in it.</summary>
    public long Version { get; set; }
}

/// <summary>
/// The streams a lane is writing: a segment for each application and day, owned by one lane, because two writers on one
/// stream collide. After a commit that failed they are abandoned: how far they got is unknown.
/// </summary>
/// <remarks>
/// Around midnight events of two days come by turns, as some wait longer than others: the segments of the latest day
/// and of the one before it stay open.
/// </remarks>
public sealed class Segments
{
    private readonly Dictionary<(int ApplicationId, DateOnly Day), Segment> _open = [];
    private DateOnly _latest;

    public Segment For(int applicationId, DateTimeOffset at)
    {
        var day = DateOnly.FromDateTime(at.UtcDateTime);
        if (day > _latest) Begin(day);
        var key = (applicationId, day);
        if (!_open.TryGetValue(key, out var segment)) _open[key] = segment = new(applicationId, day);
        return segment;
    }

    public void Abandon() => _open.Clear();

    private void Begin(DateOnly day)
    {
        _latest = day;
        foreach (var past in _open.Keys.Where(key => key.Day.AddDays(1) < day).ToList()) _open.Remove(past);
    }
}
