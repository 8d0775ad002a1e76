using ErrorTracker.Configuration;
using JasperFx;
using JasperFx.CodeGeneration;
using Wolverine;

namespace ErrorTracker.Hosting;

/// <summary>Wolverine: the code of the endpoints, and how nodes share the projections' work.</summary>
internal static class Nodes
{
    private static readonly TimeSpan
        FirstHealthCheck = TimeSpan.FromMilliseconds(150),
        Heartbeat = TimeSpan.FromSeconds(3),
        NodeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>Wolverine handles no message yet: what recovers lost ones need not look often.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromMinutes(1);

    private const string PregeneratedRegistry = "Internal.Generated.WolverineHandlers.GeneratedHttpEndpointRegistry";

    public static void AddNodes(this WebApplicationBuilder builder, Settings settings)
    {
        var ownAssembly = typeof(Program).Assembly;
        var isPregenerated = ownAssembly.GetType(PregeneratedRegistry) is not null;
        builder.Services.CritterStackDefaults(x =>
        {
            x.ApplicationAssembly = ownAssembly;
            x.GeneratedCodeOutputPath = Path.Combine(builder.Environment.ContentRootPath, "obj", "Generated");
            foreach (var profile in new[] { x.Development, x.Production })
            {
                profile.GeneratedCodeMode = isPregenerated ? TypeLoadMode.Static : TypeLoadMode.Dynamic;
                profile.ResourceAutoCreate = settings.AutoCreate;
            }
        });
        builder.Host.UseWolverine(x =>
        {
            x.ApplicationAssembly = ownAssembly;
            x.Durability.Mode = settings.SingleNode ? DurabilityMode.Solo : DurabilityMode.Balanced;
            x.Durability.FirstHealthCheckExecution = FirstHealthCheck;
            x.Durability.HealthCheckPollingTime = Heartbeat;
            x.Durability.CheckAssignmentPeriod = Heartbeat;
            x.Durability.NodeReassignmentPollingTime = Heartbeat;
            x.Durability.StaleNodeTimeout = NodeTimeout;
            x.Durability.ScheduledJobPollingTime = Recovery;
            x.Durability.OrphanedMessageSweepPollingTime = Recovery;
            x.Durability.DurabilityMetricsEnabled = false;
        });
    }
}
