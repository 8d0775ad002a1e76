using System.Data.Common;
using Weasel.Core;
using Weasel.Core.Migrations;
using Weasel.Postgresql;
using DbCommandBuilder = Weasel.Core.DbCommandBuilder;

namespace ErrorTracker.Log;

/// <summary>
/// An index of ours on Marten's events table. Marten offers no way to declare one, and must be told to leave it alone.
/// </summary>
internal sealed class LogIndex(string schema, string name, string definition) : ISchemaObject
{
    public DbObjectName Identifier { get; } =
        new PostgresqlObjectName(schema, name, SchemaUtils.IdentifierUsage.General);

    public IEnumerable<DbObjectName> AllNames() => [Identifier];

    public void WriteCreateStatement(Migrator migrator, TextWriter writer) =>
        writer.WriteLine($"create index if not exists {name} on {schema}.mt_events {definition};");

    public void WriteDropStatement(Migrator migrator, TextWriter writer) =>
        writer.WriteLine($"drop index if exists {schema}.{name};");

    public void ConfigureQueryCommand(DbCommandBuilder builder)
    {
        builder.Append("select 1 from pg_indexes where schemaname = ");
        builder.AppendParameter(schema);
        builder.Append(" and indexname = ");
        builder.AppendParameter(name);
        builder.Append(";");
    }

    public async Task<ISchemaObjectDelta> CreateDeltaAsync(DbDataReader reader, CancellationToken stop = default)
    {
        var isThere = await reader.ReadAsync(stop);
        return new SchemaObjectDelta(this, isThere ? SchemaPatchDifference.None : SchemaPatchDifference.Create);
    }
}

/// <summary>The log's own indexes, created after Marten's tables.</summary>
internal sealed class LogIndexes(string schema) : FeatureSchemaBase("log_indexes", new PostgresqlMigrator())
{
    /// <summary>For the newest events of one application, and any window of them.</summary>
    public const string ByTime = "mt_events_by_time";

    /// <summary>For those of one level, however rare.</summary>
    public const string ByLevel = "mt_events_by_level";

    /// <summary>For the newest events of a group.</summary>
    public const string ByKey = "mt_events_by_key";

    /// <summary>For what an application's SDKs said they dropped.</summary>
    public const string OfLosses = "mt_events_of_losses";

    public override Type StorageType => typeof(LogIndexes);

    protected override IEnumerable<ISchemaObject> schemaObjects() =>
        [
            new LogIndex(schema, ByTime, $"(tenant_id, timestamp desc, seq_id desc) where {LogRow.IsError}"),
            new LogIndex(
                schema, ByLevel, $"(tenant_id, ({LogRow.Level}), timestamp desc, seq_id desc) where {LogRow.IsError}"),
            new LogIndex(
                schema, ByKey,
                $"(tenant_id, ({LogRow.StoredKey}), timestamp desc, seq_id desc) "
                + $"where {LogRow.IsError} and {LogRow.StoredKey} is not null"),
            new LogIndex(
                schema, OfLosses, $"(tenant_id, timestamp) where type = '{EventKinds.LossReported.StoredType}'"),
        ];
}
