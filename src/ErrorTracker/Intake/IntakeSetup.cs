using ErrorTracker.Configuration;

namespace ErrorTracker.Intake;

/// <summary>
/// How a request becomes events. This room owns what all protocols share: the list of steps, the closed list of
/// refusals, limits, memory and bodies. Each protocol has a folder of its own; it sees this room and no other protocol.
/// It may use Outcomes, Commit and the rooms below them.
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
