using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// The counters as a projection: events by level, by message and by group, in buckets of every <see cref="Step"/>; and
/// the groups, with their numbers.
/// </summary>
public static class CountersProjection
{
    public static readonly Projection Definition = new("Counters", CounterTables.Version)
    {
        Subject = "the counters",
        Tables = CounterTables.Definitions,
        Before = EventKeys.MakeAsync,
        Fold = (names, range) => CounterFold.Into(new(names), CounterFold.Sent(new(names), range)),
        After = GroupTexts.MakeAsync,
        Proof = names => CountersProof.Of(new(names)),
        Live = new(
            Fold: (names, range) => OpenMinutes.Into(new(names), CounterFold.Sent(new(names), range)),
            IsAnyOver: names => OpenMinutes.IsAnyOver(new(names)),
            Close: names => OpenMinutes.Close(new(names))),
        Grouped = new(
            PartName: "counter_part",
            Beside: [CounterTables.EventKeysName],
            Group: (names, range) => CounterFold.Sent(new(names), range),
            Write: (names, parts) => CounterFold.IntoEmpty(new(names), parts)),
        RebuildLock = 0x45525242, // nodes of every version hold this one
    };
}
