
namespace ErrorTracker.Projections;

/// <summary>
/// How the log is folded, watched, rebuilt, verified and pruned. This room runs the definitions of projections and knows
/// none by name. It may use Log and the rooms below it.
/// </summary>
internal static class ProjectionsSetup
{
    public static void AddProjections(this IServiceCollection services)
    {
        services.AddSingleton<CounterWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<CounterWatch>());
    }
}
