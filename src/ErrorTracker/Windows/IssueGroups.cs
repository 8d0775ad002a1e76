using ErrorTracker.Counters;
using ErrorTracker.Grouping;

namespace ErrorTracker.Windows;

/// <summary>The groups that an issue consists of.</summary>
/// <param name="Number">The issue's own.</param>
/// <param name="Numbers">Of its groups.</param>
/// <param name="Keys">Of its groups, in the same order.</param>
internal sealed record IssueGroups(int Number, int[] Numbers, string[] Keys)
{
    /// <summary>
    /// The groups that are folded, as a table of SQL. Those of counters whose progress was lost are void, and all groups
    /// are in the tail.
    /// </summary>
    public static readonly string Folded =
        $"""
        (select kept.* from {CounterTables.Current.Groups} as kept
         where kept.tenant_id = @tenant and kept.grouping = @grouping and @folded > 0)
        """;

    private static readonly string Sql =
        $"""
        with asked as (
          select {IssueMembers.IssueOf("@tenant", "@number")} as issue)
        select asked.issue, found.number, found.key
        from asked
        join (
          select g.number, g.group_key as key from {Folded} as g
          where g.number in (
            select asked.issue from asked
            union all
            select i.number from {IssueMembers.Table} as i, asked
            where i.tenant_id = @tenant and i.issue = asked.issue)
          union all
          select n.number, n.key from unnest(@new_numbers, @new_keys) as n(number, key)) as found
        on {IssueMembers.IssueOf("@tenant", "found.number")} = asked.issue
        order by found.number
        """;

    /// <summary>The number, as SQL, of the group whose key is @key, also if it is new.</summary>
    /// <param name="key">As SQL.</param>
    public static string NumberOf(string key) =>
        $"""
        coalesce(
          (select g.number from {Folded} as g where g.group_key = {key}),
          (@new_by_key ->> {key})::integer)
        """;

    /// <summary>The issue that a number is in; null if no event has been given that number.</summary>
    /// <param name="view">Whose tail has been read.</param>
    /// <param name="applicationId">Whose issue it is.</param>
    /// <param name="number">The issue's own, or that of one that was merged into it.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task<IssueGroups?> FindAsync(
        Snapshot view, int applicationId, int number, CancellationToken stop)
    {
        var question = new Question(applicationId, Window.Everything, ladder: [], level: null, ("number", number));
        var rows = await view.QueryAsync(
            Sql, question, row => (Issue: row.GetInt32(0), Number: row.GetInt32(1), Key: row.GetString(2)), stop);
        if (rows.Count == 0) return null;
        return new(rows[0].Issue, [.. rows.Select(row => row.Number)], [.. rows.Select(row => row.Key)]);
    }
}
