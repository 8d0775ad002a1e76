using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Grouping;

/// <summary>
/// Numbers that groups were given when rules were adopted, by grouping and key. All other groups get theirs by their
/// first events in the order of the log, after the highest of these. While an adoption is prepared, groups that take
/// nobody's number over have negative ones here.
/// </summary>
public static class AssignedNumbers
{
    public const string Table = $"{LogSchema.Name}.assigned_numbers";

    internal static Table Define()
    {
        var name = new PostgresqlObjectName(LogSchema.Name, "assigned_numbers", SchemaUtils.IdentifierUsage.General);
        var table = new Table(name);
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("grouping", "integer").AsPrimaryKey();
        table.AddColumn("group_key", "text").AsPrimaryKey();
        table.AddColumn("number", "integer").NotNull();
        return table;
    }

    /// <summary>The highest number that groups had when the serving rules were adopted, as SQL; 0: never.</summary>
    /// <param name="tenant">As SQL.</param>
    public static string LastOf(string tenant) =>
        $"coalesce((select a.last_number from {AdoptedRules.Table} as a where a.tenant_id = {tenant}), 0)";
}
