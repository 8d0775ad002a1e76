using ErrorTracker.Limits;

namespace ErrorTracker.Tests.Limits;

public sealed class TokenBucketTests
{
    private readonly FixedClock _clock = new();

    [Fact]
    public void so_many_at_once_then_as_many_as_the_period_brings()
    {
        var bucket = new TokenBucket(10, TimeSpan.FromSeconds(1), _clock);
        Assert.Equal(10, Taken(bucket, 20));
        Assert.False(bucket.TryTake(out var wait));
        Assert.Equal(TimeSpan.FromMilliseconds(100), wait);
        _clock.Now += wait;
        Assert.Equal(1, Taken(bucket, 20));
        _clock.Now += TimeSpan.FromHours(1);
        Assert.Equal(10, Taken(bucket, 20));
    }

    [Fact]
    public void at_once_no_more_are_taken_than_there_are()
    {
        var bucket = new TokenBucket(1_000, TimeSpan.FromSeconds(1), _clock);
        Assert.Equal(1_000, Enumerable.Range(0, 5_000).AsParallel().Count(_ => bucket.TryTake(out var _)));
    }

    private static int Taken(TokenBucket bucket, int tries) =>
        Enumerable.Range(0, tries).Count(_ => bucket.TryTake(out var _));

    private sealed class FixedClock : TimeProvider
    {
        public TimeSpan Now { get; set; } = TimeSpan.FromDays(1);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
