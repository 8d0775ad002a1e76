using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ErrorTracker.Commit;

/// <summary>What ingest tells of itself: what became of each event that was sent, and what commits cost.</summary>
public sealed class IngestMetrics
{
    public const string Name = "ErrorTracker";

    private static readonly ActivitySource Activities = new(Name);

    private readonly Counter<long> _accepted, _duplicates, _refused;
    private readonly Histogram<int> _size;
    private readonly Histogram<double> _duration;

    public IngestMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(Name);
        _accepted = meter.CreateCounter<long>("errortracker.events.accepted", "{event}", "Events committed.");
        _duplicates = meter.CreateCounter<long>(
            "errortracker.events.duplicate", "{event}", "Events that were committed before, by their event_id.");
        _refused = meter.CreateCounter<long>(
            "errortracker.events.refused", "{event}",
            "Events, or requests with events, that were not stored, by reason.");
        _size = meter.CreateHistogram<int>("errortracker.commit.size", "{event}", "Events of a commit.");
        _duration = meter.CreateHistogram<double>("errortracker.commit.duration", "s", "Time that a commit took.");
    }

    /// <param name="reason">The stored literal of one of the closed list of reasons.</param>
    /// <param name="events">How many.</param>
    public void Refused(string reason, int events = 1) =>
        _refused.Add(events, new KeyValuePair<string, object?>("reason", reason));

    public void Settled(Fate fate)
    {
        if (fate == Fate.Stored) _accepted.Add(1);
        else if (fate == Fate.Repeated) _duplicates.Add(1);
    }

    /// <summary>A trace's span around a commit.</summary>
    internal static Activity? StartCommit(int events) =>
        Activities.StartActivity("commit")?.SetTag("errortracker.commit.size", events);

    internal void Committed(int events, TimeSpan took)
    {
        _size.Record(events);
        _duration.Record(took.TotalSeconds);
    }
}
