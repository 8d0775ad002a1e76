using System.Text.Json;
using ErrorTracker.Background;
using ErrorTracker.Log;
using Npgsql;
using Weasel.Postgresql;
using Weasel.Postgresql.Tables;

namespace ErrorTracker.Grouping;

/// <summary>
/// Which rule set each application has adopted, as this node knows it: read every few seconds. What it does not know
/// yet costs nothing but work: a key that was made by other rules is made again by the fold.
/// </summary>
public sealed class AdoptedRules(LogDatabases databases, ILogger<AdoptedRules> log) : EachSecond(log)
{
    /// <summary>
    /// A row for each application that has ever adopted rules of its own: which serve, the highest number that groups
    /// had when they were adopted, and which served before.
    /// </summary>
    public const string Table = $"{LogSchema.Name}.adopted_rules";

    private const string Sql = $"select a.tenant_id, a.grouping, a.rules::text from {Table} as a";

    private const int SecondsBetweenReads = 5;

    private Dictionary<int, RuleSet> _adopted = [];

    public RuleSet Of(int applicationId) => _adopted.GetValueOrDefault(applicationId, RuleSet.BuiltIn);

    internal static Table Define()
    {
        var name = new PostgresqlObjectName(LogSchema.Name, "adopted_rules", SchemaUtils.IdentifierUsage.General);
        var table = new Table(name);
        table.AddColumn("tenant_id", "text").AsPrimaryKey();
        table.AddColumn("grouping", "integer").NotNull();
        table.AddColumn("label", "text").NotNull();
        table.AddColumn("rules", "jsonb").NotNull();
        table.AddColumn("last_number", "integer").NotNull();
        table.AddColumn("previous", "integer").NotNull();
        return table;
    }

    /// <summary>As they are now; a fold reads them in its own transaction.</summary>
    internal static async Task<Dictionary<int, RuleSet>> ReadAsync(NpgsqlConnection connection, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(Sql, connection);
        await using var row = await command.ExecuteReaderAsync(stop);
        var adopted = new Dictionary<int, RuleSet>();
        while (await row.ReadAsync(stop))
            adopted[TenantId.Parse(row.GetString(0))] = new(row.GetInt32(1), Read(row.GetString(2)));
        return adopted;
    }

    private static GroupingRules Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        return GroupingRules.Parse(document.RootElement, []) ?? GroupingRules.None;
    }

    /// <summary>Reads them now.</summary>
    public async Task ReadAsync(CancellationToken stop)
    {
        await using var connection = await databases.Main.Reserved.OpenConnectionAsync(stop);
        _adopted = await ReadAsync(connection, stop);
    }

    protected override Task DoAsync(long second, CancellationToken stop) =>
        second % SecondsBetweenReads == 0 ? ReadAsync(stop) : Task.CompletedTask;
}
