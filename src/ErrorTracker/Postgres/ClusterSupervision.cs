using System.Runtime.Versioning;
using ErrorTracker.Background;

namespace ErrorTracker.Postgres;

/// <summary>
/// What the host does about its private PostgreSQL: it logs its end and its return, and ends itself if it does not
/// return.
/// </summary>
internal static class ClusterSupervision
{
    /// <summary>How long the host may take to end in good order without a database.</summary>
    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(30);

    [SupportedOSPlatform("linux")]
    public static void Supervise(this WebApplication app, PrivateCluster cluster)
    {
        var log = app.Services.GetRequiredService<ILogger<PrivateCluster>>();
        cluster.Revival.SayTo((level, line) =>
            log.Log(level, level < LogLevel.Warning ? LastingFault.Over : default, "{Line}", line));
        _ = EndWithoutAsync(app, cluster);
    }

    /// <summary>
    /// A host without its database is of no use: whoever supervises it sees its exit code, and starts another or asks a
    /// person.
    /// </summary>
    [SupportedOSPlatform("linux")]
    private static async Task EndWithoutAsync(WebApplication app, PrivateCluster cluster)
    {
        var reason = await cluster.Revival.GivenUp;
        app.Logger.LogCritical("PostgreSQL cannot be started again, so the host ends: {Reason}", reason);
        Environment.ExitCode = 1;
        if (app.Lifetime.ApplicationStarted.IsCancellationRequested)
        {
            app.Lifetime.StopApplication();
            await Task.Delay(StopTimeout);
        }
        Environment.Exit(1);
    }
}
