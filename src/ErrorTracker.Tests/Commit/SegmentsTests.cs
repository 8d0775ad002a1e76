using ErrorTracker.Commit;

namespace ErrorTracker.Tests.Commit;

public sealed class SegmentsTests
{
    private static readonly DateTimeOffset Midnight = new(2026, 4, 2, 0, 0, 0, TimeSpan.Zero);

    private readonly Segments _segments = new();

    [Fact]
    public void an_application_has_a_segment_a_day()
    {
        var first = _segments.For(1, Midnight);
        Assert.Same(first, _segments.For(1, Midnight.AddHours(23)));
        Assert.NotSame(first, _segments.For(2, Midnight));
        Assert.NotSame(first, _segments.For(1, Midnight.AddDays(1)));
    }

    /// <summary>Events that waited come after those of the new day.</summary>
    [Fact]
    public void around_midnight_both_days_go_on()
    {
        var before = _segments.For(1, Midnight.AddSeconds(-1));
        var after = _segments.For(1, Midnight);
        Assert.Same(before, _segments.For(1, Midnight.AddTicks(-1)));
        Assert.Same(after, _segments.For(1, Midnight.AddSeconds(1)));
        Assert.Equal(Midnight.AddDays(-1).Day, before.Day.Day);
    }

    [Fact]
    public void a_day_that_is_over_and_what_was_abandoned_are_not_gone_on_with()
    {
        var old = _segments.For(1, Midnight);
        _segments.For(2, Midnight.AddDays(2));
        Assert.NotSame(old, _segments.For(1, Midnight));
        var open = _segments.For(1, Midnight.AddDays(2));
        _segments.Abandon();
        Assert.NotSame(open, _segments.For(1, Midnight.AddDays(2)));
    }
}
