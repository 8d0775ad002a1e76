using System.Data.Common;
using ErrorTracker.Projections;
using Weasel.Core;
using Weasel.Core.Migrations;
using Weasel.Postgresql;
using DbCommandBuilder = Weasel.Core.DbCommandBuilder;

namespace ErrorTracker.Counters;

/// <summary>
/// The tables of this version, all or none: where one is missing all are made anew, and the progress goes with them. Marten would make the missing
/// one alone, empty, and the counters would be taken for complete.
/// </summary>
internal sealed class CounterSchema() : FeatureSchemaBase("counters", new PostgresqlMigrator())
{
    public override Type StorageType => typeof(CounterSchema);

    protected override IEnumerable<ISchemaObject> schemaObjects() => [new WholeSet(CounterShard.Current)];

    private sealed class WholeSet(CounterShard shard) : ISchemaObject
    {
        public DbObjectName Identifier => shard.Tables.Definitions[0].Identifier;

        public IEnumerable<DbObjectName> AllNames() => shard.Tables.Definitions.Select(table => table.Identifier);

        /// <summary>In a new database the progress has no table yet.</summary>
        public void WriteCreateStatement(Migrator migrator, TextWriter writer)
        {
            writer.WriteLine(shard.Tables.CreateSql());
            writer.WriteLine($"do $$ begin if to_regclass('{CounterShard.Progress}') is not null then delete from {CounterShard.Progress} where name = '{shard.Name}'; end if; end $$;");
        }

        public void WriteDropStatement(Migrator migrator, TextWriter writer) => writer.WriteLine($"drop table if exists {string.Join(", ", shard.Tables.Names)};");

        public void ConfigureQueryCommand(DbCommandBuilder builder) => builder.Append($"select 1 where {shard.Tables.ArePresent};");

        public async Task<ISchemaObjectDelta> CreateDeltaAsync(DbDataReader reader, CancellationToken stop = default) =>
            new SchemaObjectDelta(this, await reader.ReadAsync(stop) ? SchemaPatchDifference.None : SchemaPatchDifference.Create);
    }
}
