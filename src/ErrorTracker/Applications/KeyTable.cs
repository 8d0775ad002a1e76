using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Applications;

/// <summary>Where ingest keys are kept, never as themselves. One that was deleted stays, revoked, so that each node learns of it.</summary>
internal static class KeyTable
{
    public const string Name = $"{LogSchema.Name}.ingest_keys";

    public const string Insert = $"insert into {Name} (id, application_id, prefix, hash, created_at) values (?, ?, ?, ?, ?)";

    public static Table Define()
    {
        var table = new Table(new PostgresqlObjectName(LogSchema.Name, "ingest_keys", Weasel.Postgresql.SchemaUtils.IdentifierUsage.General));
        table.AddColumn("id", "uuid").AsPrimaryKey();
        table.AddColumn("application_id", "integer").NotNull();
        table.AddColumn("prefix", "text").NotNull();
        table.AddColumn("hash", "bytea").NotNull();
        table.AddColumn("created_at", "timestamptz").NotNull();
        foreach (var time in new[] { "last_used_at", "revoked_at" }) table.AddColumn(time, "timestamptz");
        table.Indexes.Add(new IndexDefinition("ingest_keys_application") { Columns = ["application_id"] });
        table.Indexes.Add(new IndexDefinition("ingest_keys_revoked") { Columns = ["revoked_at"] });
        return table;
    }
}
