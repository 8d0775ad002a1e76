using System.Runtime.InteropServices;
using ErrorTracker.Commit;
using ErrorTracker.Grouping;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;
using Xunit.Abstractions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>The worst mebibyte that we can build costs each parser a few times the CPU of a plain one.</summary>
[Collection(nameof(Alone))]
public sealed class ParserCostTests(ITestOutputHelper output)
{
    private const int Size = 1024 * 1024, Most = 20, Runs = 5;

    /// <summary>With what is stored of it and beside it.</summary>
    [Fact]
    public void of_an_sdks_event() => Judge("sentry", body =>
        Store(SentryEvent.Parse(body, null, DateTimeOffset.UnixEpoch, "::1").Incoming));

    [Fact]
    public void of_a_native_event() => Judge("native", body => Store(EventBody.Parse(body, [])));

    private static void Store(IncomingEvent? incoming)
    {
        if (incoming is null) return;
        incoming.Error.ToStored();
        EventFacts.Of(incoming.Error, GroupingRules.None);
    }

    /// <summary>A text that is 16 times as long costs about 16 times as much, whatever it holds; not 256 times.</summary>
    [Theory]
    [InlineData("1, ")]
    [InlineData("'")]
    [InlineData(" 'a ")]
    [InlineData("1, 'a' \"")]
    [InlineData("<n>")]
    [InlineData(" ")]
    [InlineData("(0x8")]
    [InlineData("[Errno 1 (os error ")]
    [InlineData("1-")]
    [InlineData("1.")]
    [InlineData("7@")]
    [InlineData("1:")]
    [InlineData("h://")]
    [InlineData("/1")]
    [InlineData("status ")]
    public void of_a_template(string unit)
    {
        const int Length = 40_000, Times = 16, MostTimes = 64;
        var once = CostOf(Build(unit, Length), text => Template.Of(text));
        var longer = CostOf(Build(unit, Times * Length), text => Template.Of(text));
        output.WriteLine($"{once / 1e3:N0} µs, then {longer / 1e3:N0} µs");
        Assert.True(longer <= MostTimes * once + 1_000_000, $"{once:N0} ns, then {longer:N0} ns");
    }

    private static string Build(string unit, int length) => string.Concat(Enumerable.Repeat(unit, length / unit.Length));

    private static double CostOf(string text, Action<string> scan) => CostOf(_ => scan(text), []);

    [Fact]
    public void of_a_batch() => Judge("batch", body =>
    {
        var (splitter, events) = (new BatchSplitter(lines: false, EventLimits.Largest), 0);
        ReadOnlySpan<byte> input = body;
        while (splitter.TryRead(ref input, out var part) && events++ < SendBatch.MostEvents)
            if (part.Error is null) EventBody.Parse(part.Event, [])?.Error.ToStored();
        splitter.TryFinish(out _);
    });

    [Fact]
    public void of_an_envelope() => Judge("envelope", body =>
    {
        var reader = new EnvelopeReader();
        ReadOnlySpan<byte> input = body;
        while (reader.TryRead(ref input, out var part) && part.Kind != EnvelopePartKind.Refused) ;
        reader.TryFinish(out _);
    });

    /// <summary>A parser may change its input, so each run has its own.</summary>
    private void Judge(string parser, Action<byte[]> parse)
    {
        var plain = CostOf(parse, HostileShapes.Plain(parser, Size));
        var costs = HostileShapes.Names(parser)
            .ToDictionary(name => name, name => CostOf(parse, HostileShapes.Hostile(parser, name, Size)) / plain);
        output.WriteLine($"plain: {plain / 1e6:N1} ms");
        foreach (var (name, cost) in costs.OrderByDescending(cost => cost.Value)) output.WriteLine($"{cost,6:N2} × {name}");
        Assert.DoesNotContain(costs, cost => cost.Value > Most);
    }

    /// <summary>Nanoseconds of this thread's CPU: the least of some runs, as others use the machine too.</summary>
    private static double CostOf(Action<byte[]> parse, byte[] body)
    {
        var least = double.MaxValue;
        for (var run = 0; run < Runs; run++)
        {
            byte[] own = [.. body];
            var before = ThreadTime();
            parse(own);
            least = Math.Min(least, ThreadTime() - before);
        }
        return least;
    }

    private static double ThreadTime()
    {
        const int ThreadCpu = 3;
        Assert.Equal(0, ClockGetTime(ThreadCpu, out var time));
        return time.Seconds * 1e9 + time.Nanoseconds;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Time
    {
        public long Seconds, Nanoseconds;
    }

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int ClockGetTime(int clock, out Time time);
}
