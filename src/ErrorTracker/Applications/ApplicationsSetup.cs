using ErrorTracker.Configuration;
using Marten;

namespace ErrorTracker.Applications;

/// <summary>
/// Who sends, and with which key. This room owns the applications and their ingest keys, which are Marten's documents; it
/// knows nothing of what they send. It may use Log, Postgres, Background, Limits, Configuration and Http.
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
        services.ConfigureMarten(Configure);
        services.InitializeMartenWith<FormerKeyTable>();
    }

    /// <summary>The aliases name the tables: data, never changed.</summary>
    private static void Configure(StoreOptions options)
    {
        options.Schema.For<Application>().SingleTenanted().DocumentAlias("application")
            .UniqueIndex(application => application.Name);
        options.Schema.For<IdCounter>().SingleTenanted().DocumentAlias("id_counter")
            .UseOptimisticConcurrency(true);
        options.Schema.For<IngestKey>().SingleTenanted().DocumentAlias("ingest_key")
            .Index(key => key.ApplicationId);
        options.Schema.For<IngestKeyUse>().SingleTenanted().DocumentAlias("ingest_key_use");
    }
}
