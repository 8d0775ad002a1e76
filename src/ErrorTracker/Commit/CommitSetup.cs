using ErrorTracker.Log;

namespace ErrorTracker.Commit;

/// <summary>
/// When is an event committed, and who waits? This room owns the queue, the lanes and the answer to each event; it
/// knows no protocol. It may use Applications, Log and the rooms below them.
/// </summary>
internal static class CommitSetup
{
    public static void AddCommit(this IServiceCollection services)
    {
        services.AddSingleton<IngestMetrics>();
        services.AddSingleton(provider => new WriteQueue(
            provider.GetRequiredService<LogDatabases>(), database => LanesOf(database, provider)));
        services.AddHostedService(provider => provider.GetRequiredService<WriteQueue>());
    }

    private static CommitLanes LanesOf(LogDatabase database, IServiceProvider provider)
    {
        var commits = ActivatorUtilities.CreateInstance<GroupCommit>(provider, database);
        return ActivatorUtilities.CreateInstance<CommitLanes>(provider, commits);
    }
}
