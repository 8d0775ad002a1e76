using System.Data.Common;
using Weasel.Core;
using DbCommandBuilder = Weasel.Core.DbCommandBuilder;

namespace ErrorTracker.Projections;

/// <summary>
/// The tables of a projection's version for Marten's migrations, all or none: where one is missing all are made anew,
/// and the progress goes with them. Marten would make the missing one alone, empty, and the set would be taken for
/// complete.
/// </summary>
internal sealed class ProjectionSchema(Projection projection) : ISchemaObject
{
    private readonly TableSet _tables = new(projection, projection.Suffix);

    public DbObjectName Identifier => _tables.Definitions[0].Identifier;

    public IEnumerable<DbObjectName> AllNames() => _tables.Definitions.Select(table => table.Identifier);

    /// <summary>In a new database the progress has no table yet.</summary>
    public void WriteCreateStatement(Migrator migrator, TextWriter writer)
    {
        writer.WriteLine(_tables.CreateSql());
        writer.WriteLine(
            $"""
            do $$ begin
              if to_regclass('{LogProgress.Table}') is not null then
                delete from {LogProgress.Table} where name = '{projection.Row}';
              end if;
            end $$;
            """);
    }

    public void WriteDropStatement(Migrator migrator, TextWriter writer) =>
        writer.WriteLine($"drop table if exists {_tables.List};");

    public void ConfigureQueryCommand(DbCommandBuilder builder) =>
        builder.Append($"select 1 where {_tables.ArePresent};");

    public async Task<ISchemaObjectDelta> CreateDeltaAsync(DbDataReader reader, CancellationToken stop = default)
    {
        var isPresent = await reader.ReadAsync(stop);
        return new SchemaObjectDelta(this, isPresent ? SchemaPatchDifference.None : SchemaPatchDifference.Create);
    }
}
