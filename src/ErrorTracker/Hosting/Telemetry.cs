using System.Diagnostics.Metrics;
using ErrorTracker.Commit;
using ErrorTracker.Configuration;
using ErrorTracker.Projections;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;

namespace ErrorTracker.Hosting;

/// <summary>
/// Metrics and traces over OTLP, where OpenTelemetry's own variables say where to (<c>OTEL_EXPORTER_OTLP_ENDPOINT</c>
/// and its kin).
/// </summary>
internal static class Telemetry
{
    public static void AddTelemetry(this WebApplicationBuilder builder, Settings settings)
    {
        if (settings.OtlpEndpoint is null) return;
        builder.Services.AddOpenTelemetry().UseOtlpExporter()
            .ConfigureResource(x => x.AddService("errortracker"))
            .WithMetrics(x => x.AddMeter(
                IngestMetrics.Name,
                "Microsoft.AspNetCore.Hosting",
                "Microsoft.AspNetCore.Server.Kestrel",
                "Npgsql",
                "System.Runtime"))
            .WithTracing(x => x.AddSource(IngestMetrics.Name, "Microsoft.AspNetCore", "Npgsql"));
    }

    /// <summary>What can be read at any time.</summary>
    public static void ObserveState(this WebApplication app)
    {
        var meter = app.Services.GetRequiredService<IMeterFactory>().Create(IngestMetrics.Name);
        var queue = app.Services.GetRequiredService<WriteQueue>();
        var counters = app.Services.GetRequiredService<ProjectionWatch>();
        meter.CreateObservableGauge(
            "errortracker.queue.depth", () => queue.Waiting, "{event}", "Events that wait for a commit.");
        meter.CreateObservableGauge(
            "errortracker.projection.lag",
            () => counters.Lag,
            "{event}",
            "Events of the log that the counters have not folded yet, seen within the last second or two.");
    }
}
