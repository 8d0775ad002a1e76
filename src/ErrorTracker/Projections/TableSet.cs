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
    [
        .. Definitions.Select(table => $"alter table {table.Identifier} drop constraint {table.PrimaryKeyName}"),
        .. Indexes.Select(index => $"drop index {LogSchema.Name}.{index.Name}"),
    ];

    public string[] AddKeys =>
    [
        .. Definitions.Select(table =>
            $"""
            alter table {table.Identifier}
            add constraint {table.PrimaryKeyName} primary key ({string.Join(", ", table.PrimaryKeyColumns)})
            """),
        .. Indexes.Select(index => index.Create),
    ];

    /// <summary>Beyond the keys, by their names without a schema.</summary>
    public (string Name, string Create)[] Indexes => [.. _tables.SelectMany(IndexesOf)];

    /// <summary>Makes them anew and empty, with their keys.</summary>
    public string CreateSql() => CreateSql([.. _tables.Select(table => table.Name)]);

    /// <summary>Makes some of them anew and empty, with their keys.</summary>
    public string CreateSql(string[] names)
    {
        var migrator = new PostgresqlMigrator();
        var sql = new StringWriter();
        sql.WriteLine($"drop table if exists {string.Join(", ", names.Select(name => Names[name]))};");
        foreach (var (table, definition) in _tables.Zip(Definitions).Where(pair => names.Contains(pair.First.Name)))
        {
            definition.WriteCreateStatement(migrator, sql);
            if (table.Fill != 100) sql.WriteLine($"alter table {Names[table.Name]} set (fillfactor = {table.Fill});");
            foreach (var (_, create) in IndexesOf(table)) sql.WriteLine($"{create};");
        }
        return sql.ToString();
    }

    private IEnumerable<(string Name, string Create)> IndexesOf(ProjectionTable table) =>
        from index in table.Indexes
        let name = $"{table.Name}_{Names.Suffix}_{index.Name}"
        let kind = index.IsUnique ? "unique index" : "index"
        select (name, $"create {kind} {name} on {Names[table.Name]} {index.Definition}");

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
