using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Crash;

/// <summary>Holds the counters, and what every node answers from them, against the log.</summary>
internal sealed class Recount(Stage stage)
{
    private const string Schema = LogSchema.Name;

    private const int MostDifferences = 20;

    /// <summary>What is asked for, what lists it, and the same from the log.</summary>
    private static readonly (string Path, string List, string Sql)[] Statistics =
    [
        ("by-level?", "items", "select data->>'level', count(*)"),
        ("timeseries?interval=MINUTE&", "series", "select date_trunc('minute', timestamp, 'UTC'), count(*)"),
        ("top-messages?limit=100&", "items", "select data->>'message', count(*), max(timestamp)"),
    ];

    public async Task CompareAsync(Random random, CancellationToken stop)
    {
        foreach (var difference in (await new Verify(stage.Cluster.Database).RunAsync(since: null, until: null, MostDifferences, stop)).Differences)
            stage.Ledger.Fault(FaultKind.Count, $"{difference}");

        await using var bounds = stage.Cluster.Database.CreateCommand($"select min(timestamp), max(timestamp) + interval '1 second' from {Schema}.mt_events where {CounterFold.IsError}");
        await using var reader = await bounds.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        var (since, until) = (reader.GetDateTime(0), reader.GetDateTime(1));
        await CompareAsync(since, until, stop);
        await CompareAsync(since + random.NextDouble() * 0.4 * (until - since), until - random.NextDouble() * 0.4 * (until - since), stop);
    }

    private async Task CompareAsync(DateTime since, DateTime until, CancellationToken stop)
    {
        var (from, to) = ($"{since:yyyy-MM-ddTHH:mm:ss.ffffff}Z", $"{until:yyyy-MM-ddTHH:mm:ss.ffffff}Z");
        foreach (var (path, list, sql) in Statistics)
            foreach (var application in stage.Applications)
            {
                var recounted = await RecountAsync($"{sql} from {Schema}.mt_events where {CounterFold.IsError} and tenant_id = '{application.Id}' and timestamp >= '{from}' and timestamp < '{to}' group by 1", stop);
                foreach (var node in stage.Running)
                {
                    var url = $"/apps/{application.Id}/stats/{path}since={from}&until={to}";
                    var answered = Rows(JsonDocument.Parse(await node.Http.GetStringAsync(url, stop)).RootElement.GetProperty(list));
                    foreach (var row in answered.Except(recounted)) stage.Ledger.Fault(FaultKind.Count, $"node {node.Number} answers {row} to {url}, the log does not");
                    foreach (var row in recounted.Except(answered)) stage.Ledger.Fault(FaultKind.Count, $"node {node.Number} does not answer {row} to {url}");
                }
            }
    }

    private static List<string> Rows(JsonElement list) => [.. list.EnumerateArray().Select(row => string.Join(' ', row.EnumerateObject().Select(member => member.Value)
        .Select(value => value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var at) ? $"{at.UtcDateTime:O}" : $"{value}")))];

    private async Task<List<string>> RecountAsync(string sql, CancellationToken stop)
    {
        var rows = new List<string>();
        await using var command = stage.Cluster.Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
            rows.Add(string.Join(' ', Enumerable.Range(0, reader.FieldCount).Select(i => reader.GetValue(i)).Select(value => value is DateTime at ? $"{at:O}" : $"{value}")));
        return rows;
    }
}
