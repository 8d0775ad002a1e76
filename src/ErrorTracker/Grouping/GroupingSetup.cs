using Marten;

namespace ErrorTracker.Grouping;

/// <summary>
/// Which group key an error has, and why: rule g1 and an application's own rules, as pure functions, and what is stored
/// of them beside each event. This room owns the tables of adopted rules, of the numbers that were given with them, and
/// of merged numbers; all that does I/O is what reads which rules are adopted. It may use Log and the rooms below it.
/// </summary>
internal static class GroupingSetup
{
    public static void AddGrouping(this IServiceCollection services)
    {
        services.AddSingleton<AdoptedRules>();
        services.AddHostedService(provider => provider.GetRequiredService<AdoptedRules>());
        services.ConfigureMarten(options =>
        {
            options.Storage.ExtendedSchemaObjects.Add(AdoptedRules.Define());
            options.Storage.ExtendedSchemaObjects.Add(IssueMembers.Define());
            options.Storage.ExtendedSchemaObjects.Add(AssignedNumbers.Define());
            options.Storage.ExtendedSchemaObjects.Add(CountedGroupings.Define());
        });
    }
}
