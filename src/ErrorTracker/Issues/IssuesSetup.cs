using JasperFx.Events.Projections;
using Marten;

namespace ErrorTracker.Issues;

/// <summary>
/// Which errors are the same, and what people have decided about them. This room owns the decisions, which are events
/// in streams of their own, and writes the table of merged numbers with them. Counters are kept for each group of equal
/// errors and never touched here: an issue is a set of groups' numbers. It may use Statistics and the rooms below it.
/// </summary>
internal static class IssuesSetup
{
    public static void AddIssues(this IServiceCollection services)
    {
        services.AddSingleton<Decisions>();
        services.AddSingleton<IssueNumbers>();
        services.AddSingleton<MemberRows>();
        services.AddSingleton<GroupingChanges>();
        services.AddHostedService(provider => provider.GetRequiredService<GroupingChanges>());
        services.ConfigureMarten(Configure);
    }

    /// <summary>The aliases name tables: data, never changed.</summary>
    private static void Configure(StoreOptions options)
    {
        foreach (var kind in DecisionKinds.All) kind.Register(options);
        options.Projections.Add(new IssueMergesProjection(), ProjectionLifecycle.Inline);
        options.Schema.For<IssueMerges>().MultiTenanted().DocumentAlias("issue_merges");
        options.Schema.For<GroupingChange>().SingleTenanted().DocumentAlias("grouping_change");
    }
}
