using ErrorTracker.Log;
using JasperFx.Events.Projections;
using Marten;

namespace ErrorTracker.Projections;

/// <summary>
/// How the log is folded, watched, rebuilt, verified and pruned. This room owns the progress of all projections. It
/// runs each <see cref="Projection"/> that a room above registers (<c>services.AddProjection</c>) and knows none by
/// name. It may use Log and the rooms below it.
/// </summary>
public static class ProjectionsSetup
{
    internal static void AddProjections(this IServiceCollection services)
    {
        services.AddSingleton<RegisteredProjections>();
        services.AddSingleton(provider => provider.GetRequiredService<RegisteredProjections>().NodeName);
        services.AddSingleton<ProjectionWatch>();
        services.AddHostedService(provider => provider.GetRequiredService<ProjectionWatch>());
    }

    /// <summary>
    /// The projection is folded, watched, rebuilt, verified, pruned and shown, and its tables are part of the schema.
    /// </summary>
    public static IServiceCollection AddProjection(this IServiceCollection services, Projection projection)
    {
        services.AddSingleton(projection);
        services.ConfigureMarten((provider, options) =>
        {
            var database = provider.GetRequiredService<LogDatabases>().Main.Reserved;
            options.Storage.ExtendedSchemaObjects.Add(new ProjectionSchema(projection));
            options.Projections.Add(new DaemonProjection(projection, database), ProjectionLifecycle.Async);
        });
        return services;
    }
}
