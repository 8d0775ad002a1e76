using ErrorTracker.Log;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Counters;

/// <summary>The tables that counters are kept in. Their names end in the version, so that a new one fills its own beside the old.</summary>
public sealed record CounterTables(string Suffix)
{
    /// <summary>Raised whenever what is counted changes.</summary>
    public const uint Version = 4;

    /// <summary>Those of this version.</summary>
    public static readonly CounterTables Current = new($"v{Version}");

    /// <summary>What a node that reads or fills them calls itself on its connections.</summary>
    public string NodeName => $"ErrorTracker, counters {Suffix}";

    public string Levels => $"{LogSchema.Name}.level_counts_{Suffix}";

    public string Messages => $"{LogSchema.Name}.message_counts_{Suffix}";

    public string Texts => $"{LogSchema.Name}.message_texts_{Suffix}";

    /// <summary>The counts of minutes that may still grow, which no other table has yet: live folds touch one row a message here instead of one a step.</summary>
    public string OpenMinutes => $"{LogSchema.Name}.open_minutes_{Suffix}";

    /// <summary>
    /// The minutes that <see cref="OpenMinutes"/> has rows of. Readers look up these and no others: where an old snapshot
    /// keeps the rows of minutes that are over from being removed, they are not visited.
    /// </summary>
    public string OpenBuckets => $"{LogSchema.Name}.open_buckets_{Suffix}";

    public string[] Names => [Levels, Messages, Texts, OpenMinutes, OpenBuckets];

    public Table[] Definitions =>
    [
        Define(Levels, Bucket, ["level"], "count"),
        Define(Messages, Bucket, ["level", "message_hash"], "count", "last_seen"),
        Define(Texts, [], ["message_hash"], "message"),
        Define(OpenMinutes, ["bucket", "tenant_id"], ["message_hash", "level"], "message", "count", "last_seen"),
        Define(OpenBuckets, [], ["bucket"]),
    ];

    /// <summary>True if all are there, as SQL.</summary>
    public string ArePresent => $"(select bool_and(to_regclass(name) is not null) from unnest(array['{string.Join("', '", Names)}']) as name)";

    /// <summary>Makes them anew and empty, with their keys.</summary>
    public string CreateSql()
    {
        var (migrator, sql) = (new PostgresqlMigrator(), new StringWriter());
        sql.WriteLine($"drop table if exists {string.Join(", ", Names)};");
        foreach (var table in Definitions) table.WriteCreateStatement(migrator, sql);
        sql.WriteLine($"alter table {OpenMinutes} set (fillfactor = {OpenMinutesFill});");
        return sql.ToString();
    }

    /// <summary>Percent of a page. Each fold updates the same rows, which is cheap as long as their page has room.</summary>
    private const int OpenMinutesFill = 50;

    private static readonly string[] Bucket = ["tenant_id", "step", "bucket"];

    private static Table Define(string name, string[] bucket, string[] subject, params string[] counted)
    {
        var table = new Table(new PostgresqlObjectName(LogSchema.Name, name[(LogSchema.Name.Length + 1)..], SchemaUtils.IdentifierUsage.General));
        foreach (var column in (string[])[.. bucket, .. subject]) table.AddColumn(column, TypeOf(column)).AsPrimaryKey();
        foreach (var column in counted) table.AddColumn(column, TypeOf(column)).NotNull();
        return table;
    }

    private static string TypeOf(string column) => column switch
    {
        "bucket" or "last_seen" => "timestamptz",
        "message_hash" => "uuid",
        "count" => "bigint",
        _ => "text",
    };
}
