using ErrorTracker.Configuration;

namespace ErrorTracker.Intake;

/// <summary>
/// How a request becomes events. This room owns what all protocols share: keys, limits, memory and bodies; each
/// protocol has a folder of its own, and none sees another one. It may use Outcomes, Commit and the rooms below them.
/// </summary>
internal static class IntakeSetup
{
    public static void AddIntake(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton(provider => new IngestLimits(
            settings.EventsPerSecond, settings.BytesPerDay, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IntakeMemory>();
        services.AddSingleton<IntakeServices>();
    }
}
