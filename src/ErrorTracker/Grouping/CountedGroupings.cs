using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Grouping;

/// <summary>
/// Rule sets of an application that do not serve, but are counted: those that are about to, and those that served
/// before. Each row says how far the log is counted by them, and in which tables: where a rebuild has put others in
/// their place, nothing is.
/// </summary>
public static class CountedGroupings
{
    public const string Table = $"{LogSchema.Name}.counted_groupings";

    internal static Table Define()
    {
        var name = new PostgresqlObjectName(LogSchema.Name, "counted_groupings", SchemaUtils.IdentifierUsage.General);
        var table = new Table(name);
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("grouping", "integer").AsPrimaryKey();
        table.AddColumn("rules", "jsonb").NotNull();
        table.AddColumn("folded", "bigint").NotNull();
        table.AddColumn("tables", "bigint").NotNull();
        return table;
    }
}
