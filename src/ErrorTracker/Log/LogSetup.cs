using System.Text.Json.Serialization.Metadata;
using ErrorTracker.Configuration;
using JasperFx;
using JasperFx.MultiTenancy;
using Marten;
using Npgsql;
using Wolverine.Marten;

namespace ErrorTracker.Log;

/// <summary>
/// The log: what is stored, under which name, and where. It is Marten's event store with conjoined tenancy, in which
/// the tenant id is the application's id as text. This room owns the schema, the kinds of events, their indexes, and
/// the connections to the database; other rooms add their own documents and tables to the same store
/// (<c>services.ConfigureMarten</c>). It may use Postgres, Background, Limits, Configuration and Http.
/// </summary>
internal static class LogSetup
{
    /// <summary>
    /// How often the daemon polls an idle log by itself. This node's commits wake it at once, and those of others
    /// within a second.
    /// </summary>
    private static readonly TimeSpan IdlePolling = TimeSpan.FromSeconds(5);

    /// <summary>
    /// How old a gap in the sequence must be before Marten looks whether any transaction lives that could fill it, and
    /// passes it if none does.
    /// </summary>
    private static readonly TimeSpan GapAge = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// After this time the detection of the high-water mark is started again if it has failed or is stuck.
    /// </summary>
    private static readonly TimeSpan StuckDetectionTimeout = TimeSpan.FromSeconds(12);

    /// <remarks>A room above registers the <see cref="NodeName"/>.</remarks>
    public static void AddLog(this IServiceCollection services, Settings settings, string connectionString)
    {
        var address = new NpgsqlConnectionStringBuilder(connectionString);
        services.AddSingleton(provider => new LogDatabases(new LogDatabase(
            address, provider.GetRequiredService<NodeName>(), provider.GetRequiredService<TimeProvider>())));
        services.AddSingleton<CommitSignal>();
        var store = services.AddMarten(provider => Configure(provider, settings.AutoCreate))
            .IntegrateWithWolverine(x => x.UseWolverineManagedEventSubscriptionDistribution = settings.Projections);
        if (settings.AutoCreate != AutoCreate.None) store.ApplyAllDatabaseChangesOnStartup();
    }

    private static StoreOptions Configure(IServiceProvider services, AutoCreate schema)
    {
        var options = new StoreOptions();
        options.Connection(services.GetRequiredService<LogDatabases>().Main.Reserved);
        options.DatabaseSchemaName = LogSchema.Name;
        options.AutoCreateSchemaObjects = schema;
        options.UseSystemTextJsonForSerialization(configure: json =>
            json.TypeInfoResolver =
                JsonTypeInfoResolver.Combine(StoredJson.Default, new DefaultJsonTypeInfoResolver()));
        options.DisableNpgsqlLogging = true;

        options.Events.TenancyStyle = TenancyStyle.Conjoined;
        options.Events.EnableUniqueIndexOnEventId = true;
        options.Events.MetadataConfig.HeadersEnabled = true;
        foreach (var kind in EventKinds.All) kind.Register(options);
        options.Events.IgnoreIndex(LogIndexes.ByTime);
        options.Events.IgnoreIndex(LogIndexes.ByLevel);
        options.Events.IgnoreIndex(LogIndexes.ByKey);
        options.Events.IgnoreIndex(LogIndexes.OfLosses);
        options.Storage.Add(new LogIndexes(LogSchema.Name));

        options.Projections.Wakeup = services.GetRequiredService<CommitSignal>();
        options.Projections.FastPollingTime = CommitSignal.Pace;
        options.Projections.SlowPollingTime = IdlePolling;
        options.Projections.StaleSequenceThreshold = GapAge;
        options.Projections.HealthCheckPollingTime = StuckDetectionTimeout;
        options.Projections.HighWaterStalenessThreshold = StuckDetectionTimeout;
        return options;
    }
}
