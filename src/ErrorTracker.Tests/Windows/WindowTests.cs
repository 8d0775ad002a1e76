using ErrorTracker.Counters;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;
using Interval = ErrorTracker.Statistics.Interval;

namespace ErrorTracker.Tests.Windows;

public sealed class WindowTests
{
    private static readonly DateTimeOffset Start = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void a_window_of_whole_days_is_one_run_of_days()
    {
        var cut = new Window(Start, Start.AddDays(30)).Cut(Step.OfLevels);
        Assert.Equal([(Step.Day, new Window(Start, Start.AddDays(30)))], cut.Buckets);
        Assert.Empty(cut.Ragged);
    }

    [Fact]
    public void a_window_that_cuts_everything_is_cut_like_a_ruler()
    {
        var since = Start.AddHours(22).AddMinutes(58).AddSeconds(30);
        var until = Start.AddDays(2).AddHours(1).AddMinutes(1).AddSeconds(10);
        var cut = new Window(since, until).Cut(Step.OfLevels);
        Assert.Equal(
            [
                (Step.Minute, new Window(Start.AddHours(22).AddMinutes(59), Start.AddHours(23))),
                (Step.Hour, new Window(Start.AddHours(23), Start.AddDays(1))),
                (Step.Day, new Window(Start.AddDays(1), Start.AddDays(2))),
                (Step.Hour, new Window(Start.AddDays(2), Start.AddDays(2).AddHours(1))),
                (Step.Minute, new Window(Start.AddDays(2).AddHours(1), Start.AddDays(2).AddHours(1).AddMinutes(1))),
            ], cut.Buckets);
        Assert.Equal(
            [new Window(since, Start.AddHours(22).AddMinutes(59)), new Window(until.AddSeconds(-10), until)],
            cut.Ragged);
    }

    [Fact]
    public void a_window_inside_one_second_is_ragged_as_a_whole()
    {
        var window = new Window(Start.AddMicroseconds(1), Start.AddMicroseconds(2));
        Assert.Equal([window], window.Cut(Step.OfLevels).Ragged);
    }

    [Property(MaxTest = 2000)]
    public Property a_cut_covers_its_window_without_gap_or_overlap() => Prop.ForAll(Windows(), Ladders(),
        (window, ladder) => AreWhole([window.Cut(ladder)], window));

    [Property(MaxTest = 2000)]
    public Property a_cut_has_few_parts_of_whole_buckets() => Prop.ForAll(Windows(), Ladders(), (window, ladder) =>
    {
        var cut = window.Cut(ladder);
        var isFew = cut.Ragged.Count <= 2
            && cut.Buckets.Count <= 2 * ladder.Length - 1
            && cut.Buckets.Count(b => b.Step == ladder[0]) <= 1;
        var isShort = cut.Ragged.All(r => r.Until - r.Since < 2 * Step.Minute.Length);
        var isOnEdges = cut.Buckets.All(b => b.Run.Since < b.Run.Until
            && b.Step.Floor(b.Run.Since) == b.Run.Since.Ticks
            && b.Step.Floor(b.Run.Until) == b.Run.Until.Ticks);
        return isFew && isShort && isOnEdges;
    });

    [Fact]
    public void the_first_and_the_last_moments_can_be_cut()
    {
        var everything = new Window(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);
        var cut = everything.Cut(Step.OfMessages);
        var parts = cut.Buckets.Select(b => b.Run).Concat(cut.Ragged);
        Assert.Equal(2, parts.Count(part => part.Since == everything.Since || part.Until == everything.Until));
    }

    /// <summary>
    /// Days of 23, 24 and 25 hours, those that start at half past something, and clocks that change a minute after
    /// midnight.
    /// </summary>
    [Property(MaxTest = 100)]
    public Property no_bucket_lies_in_two_days_or_hours_of_a_zone()
    {
        var names = Gen.Elements(SnapshotTests.Zones).ToArbitrary();
        var intervals = Gen.Elements("HOUR", "DAY").Select(name => Interval.Parse(name)!).ToArbitrary();
        return Prop.ForAll(Windows(), names, intervals, (window, name, interval) =>
        {
            var zone = TimeZoneInfo.FindSystemTimeZoneById(name);
            var cuts = interval.Cut(Zone.Optional(name, []), window, Step.OfLevels).ToList();
            return AreWhole(cuts, window) && cuts.SelectMany(c => c.Buckets).SelectMany(Buckets).All(IsOfOne);

            bool IsOfOne(Window bucket) => LocalOf(bucket.Since) == LocalOf(bucket.Until.AddTicks(-1));

            long LocalOf(DateTimeOffset at) =>
                TimeZoneInfo.ConvertTime(at, zone).DateTime.Ticks / interval.Length.Ticks;
        });

        static IEnumerable<Window> Buckets((Step Step, Window Run) part)
        {
            for (var start = part.Run.Since; start < part.Run.Until; start += part.Step.Length)
                yield return new(start, start + part.Step.Length);
        }
    }

    [Fact]
    public void a_window_beyond_the_last_event_ends_with_its_largest_bucket()
    {
        var window = new Window(Start, Start.AddHours(30));
        Assert.Equal(window, window.Beyond(window.Until));
        var end = new DateTimeOffset(Step.Largest.Ceiling(window.Until), TimeSpan.Zero);
        Assert.Equal(end, window.Beyond(window.Until.AddTicks(-10)).Until);
        var endless = window with { Until = DateTimeOffset.MaxValue };
        Assert.Equal(endless, endless.Beyond(Start));
    }

    /// <summary>Put in order, each part starts where the one before ends, from the window's start to its end.</summary>
    private static bool AreWhole(IEnumerable<Cut> cuts, Window window)
    {
        var parts = cuts.SelectMany(c => c.Buckets.Select(b => b.Run).Concat(c.Ragged)).OrderBy(p => p.Since).ToList();
        var meet = parts.Zip(parts.Skip(1), (a, b) => a.Until == b.Since).All(meets => meets);
        return meet && parts[0].Since == window.Since && parts[^1].Until == window.Until;
    }

    private static Arbitrary<Step[]> Ladders() => Gen.Elements(Step.OfLevels, Step.OfMessages).ToArbitrary();

    /// <summary>Ends near and far, on buckets' edges and beside them.</summary>
    private static Arbitrary<Window> Windows()
    {
        var instants =
            from unit in Gen.Elements(
                TimeSpan.FromDays(1), TimeSpan.FromHours(1), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(1))
            from count in Gen.Choose(0, 5000)
            from offset in Gen.Elements(-1, 0, 0, 1)
            from origin in Gen.Elements(Start, DateTimeOffset.UnixEpoch.AddDays(-3))
            select origin + unit * count + TimeSpan.FromMicroseconds(offset);
        var windows =
            from a in instants
            from b in instants
            where a != b
            select a < b ? new Window(a, b) : new Window(b, a);
        return windows.ToArbitrary();
    }
}
