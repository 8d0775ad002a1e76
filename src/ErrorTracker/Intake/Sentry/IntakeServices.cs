using System.Text.Json.Serialization;
using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What SDKs are answered.</summary>
/// <param name="Id" example="7d3f1f0e6f3b4f649a550d6f7c1f2a10">
/// The event's event_id; absent if there was no event.
/// </param>
public sealed record SentryReceipt([property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Id);

/// <summary>What an intake works with.</summary>
public sealed class IntakeServices(
    KeyRing keys, IntakeMemory memory, WriteQueue queue, OutcomeTally tally, IngestMetrics metrics, IngestLimits limits, TimeProvider clock,
    IHostApplicationLifetime host, ILogger<IntakeServices> log)
{
    internal ILogger Log => log;
    internal KeyRing Keys => keys;
    internal IntakeMemory Memory => memory;
    internal WriteQueue Queue => queue;
    internal OutcomeTally Tally => tally;
    internal IngestMetrics Metrics => metrics;
    internal IngestLimits Limits => limits;
    internal CancellationToken Stopping => host.ApplicationStopping;
    internal DateTimeOffset Now => Instant.Now(clock);
}
