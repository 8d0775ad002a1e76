using ErrorTracker.Counters;
using ErrorTracker.Windows;

namespace ErrorTracker.Issues;

/// <summary>
/// The numbers of an application's groups of equal errors, of those too that no fold has numbered yet: 1, 2, 3 … in the
/// order of the log.
/// </summary>
public sealed class IssueNumbers(Snapshots snapshots)
{
    private static readonly string Sql =
        $"""
        select g.group_key, g.number from {CounterTables.Current.Groups} as g
        where g.tenant_id = @tenant and g.grouping = @grouping
          and (g.number = any(@asked_numbers) or g.group_key = any(@asked_keys))
        union all
        select n.key, n.number from unnest(@new_keys, @new_numbers) as n(key, number)
        where n.number = any(@asked_numbers) or n.key = any(@asked_keys)
        """;

    /// <summary>Those of the numbers that there are.</summary>
    public async Task<HashSet<int>> ExistingAsync(int application, IReadOnlyList<int> numbers, CancellationToken stop)
    {
        var groups = await FindAsync(application, [.. numbers], [], stop);
        return [.. groups.Select(group => group.Number)];
    }

    /// <summary>The numbers of groups by their keys; unknown keys are left out.</summary>
    public async Task<Dictionary<string, int>> OfKeysAsync(
        int application, IReadOnlyList<string> keys, CancellationToken stop)
    {
        var groups = await FindAsync(application, [], [.. keys], stop);
        return groups.ToDictionary(group => group.Key, group => group.Number);
    }

    private async Task<List<(string Key, int Number)>> FindAsync(
        int application, int[] numbers, string[] keys, CancellationToken stop)
    {
        await using var view = await snapshots.TakeAsync(application, stop);
        await view.ReadTailAsync(stop);
        var question = new Question(
            application, Window.Everything, ladder: [], level: null, ("asked_numbers", numbers), ("asked_keys", keys));
        return await view.QueryAsync(Sql, question, row => (row.GetString(0), row.GetInt32(1)), stop);
    }
}
