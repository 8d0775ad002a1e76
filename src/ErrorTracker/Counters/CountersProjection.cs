using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// The counters as a projection: events by level and by message, in buckets of every <see cref="Step"/>.
/// </summary>
public static class CountersProjection
{
    public static readonly Projection Definition = new("Counters", CounterTables.Version)
    {
        Subject = "the counters",
        Tables = CounterTables.Definitions,
        Fold = (names, range) => CounterFold.Into(new(names), CounterFold.Minutes(range)),
        Proof = names => CountersProof.Of(new(names)),
        Live = new(
            Fold: (names, range) => OpenMinutes.Into(new(names), CounterFold.Minutes(range)),
            IsAnyOver: names => OpenMinutes.IsAnyOver(new(names)),
            Close: names => OpenMinutes.Close(new(names))),
        Grouped = new(
            PartName: "counter_part",
            Group: CounterFold.Minutes,
            Write: (names, parts) => CounterFold.IntoEmpty(new(names), CounterFold.Sum(parts))),
        RebuildLock = 0x45525242, // nodes of every version hold this one
    };
}
