using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Counters;

/// <summary>The tables the counters are kept in. Their names carry the projection's version, so that a new version fills its own beside the old.</summary>
public static class CounterTables
{
    public const uint Version = 1;
    public const string Schema = "errortracker";

    public static readonly string Levels = $"{Schema}.level_counts_v{Version}";
    public static readonly string Messages = $"{Schema}.message_counts_v{Version}";
    public static readonly string Texts = $"{Schema}.message_texts_v{Version}";

    public static Table[] All => [LevelTable(), MessageTable(), TextTable()];

    private static Table LevelTable()
    {
        var table = new Table(DbObjectName(Levels));
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("step", "text").AsPrimaryKey();
        table.AddColumn("bucket", "timestamptz").AsPrimaryKey();
        table.AddColumn("level", "text").AsPrimaryKey();
        table.AddColumn("count", "bigint").NotNull();
        return table;
    }

    private static Table MessageTable()
    {
        var table = new Table(DbObjectName(Messages));
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("step", "text").AsPrimaryKey();
        table.AddColumn("bucket", "timestamptz").AsPrimaryKey();
        table.AddColumn("level", "text").AsPrimaryKey();
        table.AddColumn("message_hash", "bytea").AsPrimaryKey();
        table.AddColumn("count", "bigint").NotNull();
        table.AddColumn("last_seen", "timestamptz").NotNull();
        return table;
    }

    /// <summary>Each text once, whichever application sent it: rows are only ever found by hash.</summary>
    private static Table TextTable()
    {
        var table = new Table(DbObjectName(Texts));
        table.AddColumn("message_hash", "bytea").AsPrimaryKey();
        table.AddColumn("message", "text").NotNull();
        return table;
    }

    private static PostgresqlObjectName DbObjectName(string name) => new(Schema, name[(Schema.Length + 1)..], SchemaUtils.IdentifierUsage.General);
}
