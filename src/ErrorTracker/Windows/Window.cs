using ErrorTracker.Counters;
using ErrorTracker.Http;

namespace ErrorTracker.Windows;

/// <summary>A half-open window of time by received_at: <c>Since ≤ t &lt; Until</c>, whole microseconds, UTC.</summary>
public readonly record struct Window(DateTimeOffset Since, DateTimeOffset Until)
{
    /// <summary>All of time.</summary>
    public static readonly Window Everything = new(DateTimeOffset.MinValue, DateTimeOffset.MaxValue);

    /// <summary>Both ends are required; each fault is named in <paramref name="errors"/>.</summary>
    public static Window Parse(string? since, string? until, Dictionary<string, string[]> errors) =>
        Ordered(Instant.Required("since", since, errors), Instant.Required("until", until, errors), errors);

    /// <summary>Either end may be absent: then the window has none there.</summary>
    public static Window Optional(string? since, string? until, Dictionary<string, string[]> errors)
    {
        var from = Instant.Optional("since", since, errors) ?? DateTimeOffset.MinValue;
        var to = Instant.Optional("until", until, errors) ?? DateTimeOffset.MaxValue;
        return since is null || until is null ? new(from, to) : Ordered(from, to, errors);
    }

    private static Window Ordered(DateTimeOffset since, DateTimeOffset until, Dictionary<string, string[]> errors)
    {
        var areRead = !errors.ContainsKey("since") && !errors.ContainsKey("until");
        if (areRead && since >= until) errors.AddFault("since", "must be before until");
        return new(since, until);
    }

    /// <summary>
    /// Cuts the window into whole buckets, the largest possible, and the ragged ends that no bucket fits: together they
    /// cover it exactly, without overlap. At most two runs of buckets for each step but the largest, and two ragged
    /// ends.
    /// </summary>
    /// <param name="ladder">Steps, the largest first, each a multiple of the next.</param>
    public Cut Cut(ReadOnlySpan<Step> ladder)
    {
        if (ladder.IsEmpty) return new([], [this]);
        var largest = ladder[0];
        var smaller = ladder[1..];
        var first = largest.Ceiling(Since);
        var last = largest.Floor(Until);
        if (first >= last) return Cut(smaller);

        var whole = new Window(new(first, TimeSpan.Zero), new(last, TimeSpan.Zero));
        var before = Rest(Since, whole.Since, smaller);
        var after = Rest(whole.Until, Until, smaller);
        return new([.. before.Buckets, (largest, whole), .. after.Buckets], [.. before.Ragged, .. after.Ragged]);
    }

    /// <summary>
    /// The same events in fewer parts: a window that ends after the last event may as well end with the largest bucket
    /// that this event lies in, so that a window up to now needs no smaller ones.
    /// </summary>
    public Window Beyond(DateTimeOffset newest)
    {
        if (newest >= Until) return this;
        var end = Step.Largest.Ceiling(newest.AddTicks(1));
        return end > Until.UtcTicks ? this with { Until = new(end, TimeSpan.Zero) } : this;
    }

    private static Cut Rest(DateTimeOffset since, DateTimeOffset until, ReadOnlySpan<Step> ladder) =>
        since < until ? new Window(since, until).Cut(ladder) : new([], []);
}

/// <summary>A window cut into runs of whole buckets and ragged ends.</summary>
public sealed record Cut(IReadOnlyList<(Step Step, Window Run)> Buckets, IReadOnlyList<Window> Ragged);
