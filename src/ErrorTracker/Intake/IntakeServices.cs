using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake;

/// <summary>What an intake works with.</summary>
public sealed class IntakeServices(
    KeyRing keys, IntakeMemory memory, IngestLimits limits, WriteQueue queue, OutcomeTally tally, IngestMetrics metrics,
    AdoptedRules rules, TimeProvider clock, IHostApplicationLifetime host, ILogger<IntakeServices> log)
{
    internal ILogger Log => log;
    internal KeyRing Keys => keys;
    internal IntakeMemory Memory => memory;
    internal IngestLimits Limits => limits;
    internal WriteQueue Queue => queue;
    internal OutcomeTally Tally => tally;
    internal IngestMetrics Metrics => metrics;
    internal AdoptedRules Rules => rules;
    internal CancellationToken Stopping => host.ApplicationStopping;
    internal DateTimeOffset Now => Instant.Now(clock);
}
