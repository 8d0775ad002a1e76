using ErrorTracker.Log;
using ErrorTracker.Projections;
using JasperFx.Events.Projections;
using Marten;

namespace ErrorTracker.Counters;

/// <summary>
/// What is counted: definitions only. This room owns the tables of the counters, their ladder of buckets and the SQL that
/// folds the log into them. It may use Projections, which runs it, Log and the rooms below them.
/// </summary>
internal static class CountersSetup
{
    public static void AddCounters(this IServiceCollection services) =>
        services.ConfigureMarten((provider, options) =>
        {
            options.Storage.Add(new CounterSchema());
            options.Projections.Add(
                new CounterProjection(provider.GetRequiredService<LogDatabases>().Main.Reserved), ProjectionLifecycle.Async);
        });
}
