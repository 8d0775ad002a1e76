using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>
/// What is counted: definitions only. This room owns the tables of the counters, their ladder of buckets, the SQL that
/// folds the log into them and their proof. It may use Projections, which runs it, Log and the rooms below them.
/// </summary>
internal static class CountersSetup
{
    public static void AddCounters(this IServiceCollection services) => services
        .AddProjection(CountersProjection.Definition);
}
