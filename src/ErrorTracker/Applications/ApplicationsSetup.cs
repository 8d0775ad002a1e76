using ErrorTracker.Configuration;
using Marten;

namespace ErrorTracker.Applications;

/// <summary>
/// Who sends, and with which key. This room owns the applications and their ingest keys; it knows nothing of what they
/// send. It may use Log, Postgres, Background, Limits, Configuration and Http.
/// </summary>
internal static class ApplicationsSetup
{
    public static void AddApplications(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton<ApplicationDirectory>();
        services.AddSingleton<KeyRing>();
        services.AddHostedService(provider => provider.GetRequiredService<KeyRing>());
        services.AddSingleton(provider => new RegistrationLimit(
            settings.RegistrationsPerMinute, provider.GetRequiredService<TimeProvider>()));
        services.ConfigureMarten(options =>
        {
            options.Schema.For<Application>().SingleTenanted().UniqueIndex(application => application.Name);
            options.Storage.ExtendedSchemaObjects.Add(KeyTable.Define());
        });
    }
}
