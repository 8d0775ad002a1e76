using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json.Serialization.Metadata;
using ErrorTracker.Applications;
using ErrorTracker.Configuration;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;
using ErrorTracker.Postgres;
using ErrorTracker.Projections;
using JasperFx;
using JasperFx.CodeGeneration;
using JasperFx.Events;
using JasperFx.MultiTenancy;
using Marten;
using Npgsql;
using Weasel.Core.Migrations;
using Wolverine;
using Wolverine.Marten;

namespace ErrorTracker.Hosting;

/// <summary>The log, its projection and the schema of both: Marten on PostgreSQL, the projection's shard distributed over the nodes by Wolverine.</summary>
internal static class LogStore
{
    /// <summary>How often the daemon polls an idle log by itself. This node's commits wake it at once, and those of others within a second.</summary>
    private static readonly TimeSpan IdlePolling = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Soon = TimeSpan.FromMilliseconds(150), Heartbeat = TimeSpan.FromSeconds(3), NodeTimeout = TimeSpan.FromSeconds(10);

    /// <summary>No message is handled by Wolverine yet: what recovers lost ones need not look often.</summary>
    private static readonly TimeSpan Recovery = TimeSpan.FromMinutes(1);

    /// <summary>How old a gap in the sequence must be before Marten looks whether any transaction lives that could fill it, and passes it if none does.</summary>
    private static readonly TimeSpan GapPatience = TimeSpan.FromMilliseconds(250);

    /// <summary>So long after the detection of the high-water mark has failed or got stuck it is started again.</summary>
    private static readonly TimeSpan MarkPatience = TimeSpan.FromSeconds(12);

    public static void AddLog(this WebApplicationBuilder builder, Settings operators, string connectionString)
    {
        var (schema, projects, alone) = (operators.AutoCreate, operators.Projections, operators.SingleNode);
        var pregenerated = typeof(Program).Assembly.GetType("Internal.Generated.WolverineHandlers.GeneratedHttpEndpointRegistry") is not null;

        builder.Services.AddSingleton(services => new LogDatabase(
            new NpgsqlConnectionStringBuilder(connectionString), services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton(services => services.GetRequiredService<LogDatabase>().Reserved);
        builder.Services.AddSingleton<CommitSignal>();
        builder.Services.CritterStackDefaults(x =>
        {
            x.ApplicationAssembly = typeof(Program).Assembly;
            x.GeneratedCodeOutputPath = Path.Combine(builder.Environment.ContentRootPath, "obj", "Generated");
            foreach (var profile in new[] { x.Development, x.Production })
            {
                profile.GeneratedCodeMode = pregenerated ? TypeLoadMode.Static : TypeLoadMode.Dynamic;
                profile.ResourceAutoCreate = schema;
            }
        });

        var marten = builder.Services.AddMarten(services =>
            {
                var options = new StoreOptions();
                Configure(options, services.GetRequiredService<LogDatabase>().Reserved, schema);
                options.Projections.Wakeup = services.GetRequiredService<CommitSignal>();
                return options;
            })
            .IntegrateWithWolverine(x => x.UseWolverineManagedEventSubscriptionDistribution = projects);
        builder.Services.AddSingleton<CounterWatch>();
        builder.Services.AddHostedService(services => services.GetRequiredService<CounterWatch>());
        if (schema != AutoCreate.None) marten.ApplyAllDatabaseChangesOnStartup();

        builder.Host.UseWolverine(x =>
        {
            x.ApplicationAssembly = typeof(Program).Assembly;
            x.Durability.Mode = alone ? DurabilityMode.Solo : DurabilityMode.Balanced;
            x.Durability.FirstHealthCheckExecution = Soon;
            x.Durability.HealthCheckPollingTime = Heartbeat;
            x.Durability.CheckAssignmentPeriod = Heartbeat;
            x.Durability.NodeReassignmentPollingTime = Heartbeat;
            x.Durability.StaleNodeTimeout = NodeTimeout;
            x.Durability.ScheduledJobPollingTime = Recovery;
            x.Durability.OrphanedMessageSweepPollingTime = Recovery;
            x.Durability.DurabilityMetricsEnabled = false;
        });
    }

    /// <summary>
    /// Machines and containers start in any order, so a host waits for a PostgreSQL that does not answer yet, or has no such name yet. One that refuses is not
    /// waited for.
    /// </summary>
    public static async Task AwaitDatabaseAsync(this WebApplication app)
    {
        var database = app.Services.GetRequiredService<NpgsqlDataSource>();
        var patience = app.Services.GetRequiredService<Settings>().DatabasePatience;
        for (var (watch, isFirst) = (Stopwatch.StartNew(), true); ; isFirst = false)
            try
            {
                await DatabaseCheck.RequireAsync(database, app.Lifetime.ApplicationStopping);
                return;
            }
            catch (Exception e) when (e is SocketException or NpgsqlException { IsTransient: true })
            {
                if (watch.Elapsed >= patience) throw new StartupException($"PostgreSQL does not answer: {e.Message}");
                if (isFirst) app.Logger.LogWarning("PostgreSQL does not answer, and is waited for: {Reason}", e.Message);
                await Task.Delay(Soon);
            }
    }

    /// <summary>With <c>AutoCreate</c> off a host only starts on the schema that it was built for.</summary>
    public static async Task RequireSchemaAsync(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Settings>().AutoCreate != AutoCreate.None) return;
        try
        {
            await app.Services.GetRequiredService<IDocumentStore>().Storage.Database.AssertDatabaseMatchesConfigurationAsync();
        }
        catch (DatabaseValidationException)
        {
            throw new StartupException("The schema is not the one of this version. Run the command db-apply, or start with ErrorTracker__AutoCreate=CreateOrUpdate.");
        }
    }

    private static void Configure(StoreOptions options, NpgsqlDataSource database, AutoCreate schema)
    {
        options.Connection(database);
        options.DatabaseSchemaName = LogSchema.Name;
        options.AutoCreateSchemaObjects = schema;
        options.UseSystemTextJsonForSerialization(configure: json => json.TypeInfoResolver = JsonTypeInfoResolver.Combine(StoredJson.Default, new DefaultJsonTypeInfoResolver()));
        options.DisableNpgsqlLogging = true;

        options.Events.TenancyStyle = TenancyStyle.Conjoined;
        options.Events.EnableUniqueIndexOnEventId = true;
        options.Events.AddEventType<ErrorOccurred>();
        options.Events.AddEventType<LossReported>();
        options.Events.IgnoreIndex(LogIndexes.ByTime);
        options.Events.IgnoreIndex(LogIndexes.ByLevel);
        options.Events.IgnoreIndex(LogIndexes.OfLosses);
        options.Storage.Add(new LogIndexes(LogSchema.Name));

        options.Schema.For<Application>().SingleTenanted().UniqueIndex(a => a.Name);

        options.Storage.ExtendedSchemaObjects.Add(KeyTable.Define());
        options.Storage.ExtendedSchemaObjects.Add(OutcomeTally.Define());
        options.Storage.Add(new CounterSchema());
        options.Projections.Add(new CounterProjection(database), JasperFx.Events.Projections.ProjectionLifecycle.Async);
        options.Projections.FastPollingTime = CommitSignal.Pace;
        options.Projections.SlowPollingTime = IdlePolling;
        options.Projections.StaleSequenceThreshold = GapPatience;
        options.Projections.HealthCheckPollingTime = MarkPatience;
        options.Projections.HighWaterStalenessThreshold = MarkPatience;
    }
}
