using ErrorTracker.Windows;

namespace ErrorTracker.Issues;

/// <summary>
/// The groups of equal errors by their numbers: in each application 1, 2, 3 … in the order of the log.
/// </summary>
public sealed class IssueNumbers(Snapshots snapshots)
{
    private static readonly string Groups =
        $"""
        select g.group_key as key, g.number from {IssueGroups.Folded} as g
        union all
        select n.key, n.number from unnest(@new_keys, @new_numbers) as n(key, number)
        """;

    private static readonly string
        ExistingSql = $"select g.key, g.number from ({Groups}) as g where g.number = any(@asked)",
        OfKeysSql = $"select g.key, g.number from ({Groups}) as g where g.key = any(@asked)";

    /// <summary>Those of the numbers that there are.</summary>
    public async Task<HashSet<int>> ExistingAsync(int application, IReadOnlyList<int> numbers, CancellationToken stop)
    {
        var found = await FindAsync(ExistingSql, application, numbers.ToArray(), stop);
        return [.. found.Values];
    }

    /// <summary>The numbers of groups by their keys; unknown keys are left out.</summary>
    public Task<Dictionary<string, int>> OfKeysAsync(
        int application, IReadOnlyList<string> keys, CancellationToken stop) =>
        FindAsync(OfKeysSql, application, keys.ToArray(), stop);

    private async Task<Dictionary<string, int>> FindAsync(
        string sql, int application, Array asked, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application, stop);
        await view.ReadWholeTailAsync(stop);
        var question = new Question(application, Window.Everything, ladder: [], level: null, ("asked", asked));
        var rows = await view.QueryAsync(sql, question, row => (row.GetString(0), row.GetInt32(1)), stop);
        return rows.ToDictionary();
    }
}
