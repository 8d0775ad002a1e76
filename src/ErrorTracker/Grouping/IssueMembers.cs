using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Grouping;

/// <summary>
/// Which numbers are in another issue than their own: people have merged them. Whoever decides that writes these rows;
/// whoever counts by issue reads them.
/// </summary>
public static class IssueMembers
{
    /// <summary>Columns <c>tenant_id</c>, <c>number</c> and <c>issue</c>, which differ.</summary>
    public const string Table = $"{LogSchema.Name}.issue_members";

    internal static Table Define()
    {
        var table = new Table(new PostgresqlObjectName(LogSchema.Name, "issue_members", SchemaUtils.IdentifierUsage.General));
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("number", "integer").AsPrimaryKey();
        table.AddColumn("issue", "integer").NotNull().AddIndex(index => index.Columns = ["tenant_id", "issue"]);
        return table;
    }

    /// <summary>The issue that a number is in, as SQL.</summary>
    /// <param name="tenant">As SQL.</param>
    /// <param name="number">As SQL.</param>
    public static string IssueOf(string tenant, string number) =>
        $"""
        coalesce(
          (select i.issue from {Table} as i where i.tenant_id = {tenant} and i.number = {number}),
          {number})
        """;
}
