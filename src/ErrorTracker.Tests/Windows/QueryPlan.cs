using System.Text.Json;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Windows;

/// <summary>What PostgreSQL tells of how it ran a query.</summary>
internal static class QueryPlan
{
    /// <summary>The nodes of the plan by which the query was run, with their counts.</summary>
    public static async Task<List<JsonElement>> NodesAsync(TestApi api, string sql, Question question, Marks marks)
    {
        await using var connection = await api.Database.OpenConnectionAsync();
        await using var command = question.Ask("explain (analyze, buffers, format json) " + sql, marks);
        command.Connection = connection;
        using var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!);
        return [.. NodesOf(plan.RootElement[0].GetProperty("Plan")).Select(node => node.Clone())];
    }

    /// <summary>Rows that the nodes gave or threw away, and buffers that they looked at.</summary>
    public static async Task<long> WorkAsync(TestApi api, string sql, Question question, Marks marks)
    {
        var nodes = await NodesAsync(api, sql, question, marks);
        var hit = nodes[0].GetProperty("Shared Hit Blocks").GetInt64();
        var read = nodes[0].GetProperty("Shared Read Blocks").GetInt64();
        return nodes.Sum(RowsOf) + hit + read;
    }

    public static long RowsOf(JsonElement node)
    {
        var rows = node.GetProperty("Actual Rows").GetInt64();
        if (node.TryGetProperty("Rows Removed by Filter", out var removed)) rows += removed.GetInt64();
        return rows * node.GetProperty("Actual Loops").GetInt64();
    }

    private static IEnumerable<JsonElement> NodesOf(JsonElement node) =>
        node.TryGetProperty("Plans", out var children)
            ? [node, .. children.EnumerateArray().SelectMany(NodesOf)]
            : [node];
}
