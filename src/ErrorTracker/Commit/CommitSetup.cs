
namespace ErrorTracker.Commit;

/// <summary>
/// When is an event committed, and who waits? This room owns the queue, the lanes and the answer to each event; it knows
/// no protocol. It may use Applications, Log and the rooms below them.
/// </summary>
internal static class CommitSetup
{
    public static void AddCommit(this IServiceCollection services)
    {
        services.AddSingleton<IngestMetrics>();
        services.AddSingleton<Repeats>();
        services.AddSingleton<GroupCommit>();
        services.AddSingleton<WriteQueue>();
        services.AddHostedService(provider => provider.GetRequiredService<WriteQueue>());
    }
}
