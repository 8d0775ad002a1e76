using System.Globalization;
using ErrorTracker.Issues;
using Spectre.Console;

namespace ErrorTracker.Commands;

/// <summary>
/// Which issues people have merged, for the commands that verify and rebuild. Decisions are in the log as errors are;
/// which number is in which issue follows of them. No projection folds it: it is written with each decision.
/// </summary>
internal static class MergedIssues
{
    /// <summary>What the commands call it, beside the names of projections.</summary>
    public const string Name = "Issues";

    /// <summary>Compares what is stored with what the decisions of all applications say.</summary>
    /// <returns>What differs, by application; at most so many.</returns>
    public static async Task<List<(int Application, MemberDifference Difference)>> VerifyAsync(
        IServiceProvider services, int most, CancellationToken stop)
    {
        var rows = services.GetRequiredService<MemberRows>();
        var applications = await rows.ApplicationsAsync(stop);
        var found = new List<(int, MemberDifference)>();
        foreach (var application in applications)
            foreach (var difference in await rows.CompareAsync(application, stop))
                if (found.Count < most) found.Add((application, difference));
        Console.WriteLine($"Compared the merged issues of {Applications(applications.Count)} with the decisions about them.");
        return found;
    }

    /// <summary>Makes it anew of all decisions, application by application.</summary>
    public static async Task RebuildAsync(IServiceProvider services, CancellationToken stop)
    {
        var rows = services.GetRequiredService<MemberRows>();
        var applications = await rows.ApplicationsAsync(stop);
        foreach (var application in applications) await rows.RebuildAsync(application, stop);
        Console.WriteLine($"Rebuilt the merged issues of {Applications(applications.Count)} from the decisions about them.");
    }

    public static Table Show(IEnumerable<(int Application, MemberDifference Difference)> differences)
    {
        var table = new Table().AddColumns("application", "number", "is stored as part of", "was decided to be part of");
        foreach (var (application, difference) in differences)
            table.AddRow(
                Text(application), Text(difference.Number), Issue(difference.Stored), Issue(difference.Decided));
        return table;
    }

    private static string Applications(int count) =>
        count == 1 ? "1 application" : $"{count} applications";

    private static string Issue(int? issue) => issue is { } other ? $"issue {Text(other)}" : "none";

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
