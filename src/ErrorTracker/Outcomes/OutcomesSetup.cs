using Marten;

namespace ErrorTracker.Outcomes;

/// <summary>
/// What became of all that was sent and is not in the log. This room owns the closed list of reasons, and the tally of
/// them with its table; what is stored is counted from the log. It may use Commit and the rooms below it.
/// </summary>
internal static class OutcomesSetup
{
    public static void AddOutcomes(this IServiceCollection services)
    {
        services.AddSingleton<OutcomeTally>();
        services.AddHostedService(provider => provider.GetRequiredService<OutcomeTally>());
        services.ConfigureMarten(options => options.Storage.ExtendedSchemaObjects.Add(OutcomeTally.Define()));
    }
}
