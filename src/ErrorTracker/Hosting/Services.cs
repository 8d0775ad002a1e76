using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Configuration;
using ErrorTracker.Events;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Outcomes;
using ErrorTracker.Windows;

namespace ErrorTracker.Hosting;

/// <summary>What the rooms are made of, one line each.</summary>
internal static class Services
{
    public static void AddErrorTracker(this WebApplicationBuilder builder, Settings settings)
    {
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton<ApplicationDirectory>();
        builder.Services.AddSingleton<KeyRing>();
        builder.Services.AddHostedService(services => services.GetRequiredService<KeyRing>());
        builder.Services.AddSingleton<OutcomeTally>();
        builder.Services.AddHostedService(services => services.GetRequiredService<OutcomeTally>());
        builder.Services.AddSingleton(services => new IngestLimits(
            settings.EventsPerSecond, settings.BytesPerDay, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => new RegistrationLimit(
            settings.RegistrationsPerMinute, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<IntakeMemory>();
        builder.Services.AddSingleton<Repeats>();
        builder.Services.AddSingleton<GroupCommit>();
        builder.Services.AddSingleton<WriteQueue>();
        builder.Services.AddHostedService(services => services.GetRequiredService<WriteQueue>());
        builder.Services.AddSingleton<IntakeServices>();
        builder.Services.AddSingleton<Snapshot>();
        builder.Services.AddSingleton<PageMemory>();
        builder.Services.AddSingleton<Readiness>();
    }
}
