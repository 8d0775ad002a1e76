using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Projections;

/// <summary>
/// The tables of one version of a projection, or those that a rebuild of it fills, and how they are made.
/// </summary>
internal sealed class TableSet
{
    private readonly IReadOnlyList<ProjectionTable> _tables;

    public TableSet(Projection projection, string suffix)
    {
        _tables = projection.Tables;
        Names = new(suffix);
        All = [.. _tables.Select(table => Names[table.Name])];
        Definitions = [.. _tables.Select(Define)];
    }

    public TableNames Names { get; }

    /// <summary>All names, in SQL.</summary>
    public string[] All { get; }

    public string List => string.Join(", ", All);

    public Table[] Definitions { get; }

    /// <summary>True if all are there, as SQL.</summary>
    public string ArePresent => AreThere(All);

    /// <summary>True if all have their keys, as SQL.</summary>
    public string HaveKeys => AreThere(Definitions.Select(table => $"{LogSchema.Name}.{table.PrimaryKeyName}"));

    /// <summary>True if any has a row, as SQL.</summary>
    public string HaveRows => $"({string.Join(" or ", All.Select(table => $"exists (select from {table})"))})";

    public string[] DropKeys =>
        [.. Definitions.Select(table => $"alter table {table.Identifier} drop constraint {table.PrimaryKeyName}")];

    public string[] AddKeys =>
    [
        .. Definitions.Select(table =>
            $"""
            alter table {table.Identifier}
            add constraint {table.PrimaryKeyName} primary key ({string.Join(", ", table.PrimaryKeyColumns)})
            """),
    ];

    /// <summary>Makes them anew and empty, with their keys.</summary>
    public string CreateSql()
    {
        var migrator = new PostgresqlMigrator();
        var sql = new StringWriter();
        sql.WriteLine($"drop table if exists {List};");
        foreach (var definition in Definitions) definition.WriteCreateStatement(migrator, sql);
        foreach (var table in _tables.Where(table => table.Fill != 100))
            sql.WriteLine($"alter table {Names[table.Name]} set (fillfactor = {table.Fill});");
        return sql.ToString();
    }

    private Table Define(ProjectionTable table)
    {
        var name = $"{table.Name}_{Names.Suffix}";
        var definition = new Table(new PostgresqlObjectName(LogSchema.Name, name, SchemaUtils.IdentifierUsage.General));
        foreach (var column in table.Key.Select(column => column.Split(' ', 2)))
            definition.AddColumn(column[0], column[1]).AsPrimaryKey();
        foreach (var column in table.Columns.Select(column => column.Split(' ', 2)))
            definition.AddColumn(column[0], column[1]).NotNull();
        return definition;
    }

    private static string AreThere(IEnumerable<string> relations) =>
        $"""
        (select bool_and(to_regclass(relation.name) is not null)
         from unnest(array['{string.Join("', '", relations)}']) as relation(name))
        """;
}
