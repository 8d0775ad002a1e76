using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Crash;

/// <summary>Holds the counters, and what every node answers from them, against the log.</summary>
internal sealed class Recount(Stage stage)
{
    private const int MostDifferences = 20;

    private static readonly Statistic[] Statistics =
    [
        new("by-level?", "items", "select data->>'level', count(*)"),
        new("timeseries?interval=MINUTE&", "series", "select date_trunc('minute', timestamp, 'UTC'), count(*)"),
        new("top-messages?limit=100&", "items", "select data->>'message', count(*), min(timestamp), max(timestamp)"),
    ];

    public async Task CompareAsync(Random random, CancellationToken stop)
    {
        var verify = new Verify(stage.Cluster.Database);
        var counters = CountersProjection.Definition;
        var verified = await verify.RunAsync(counters, since: null, until: null, MostDifferences, stop);
        foreach (var difference in verified.Differences) stage.Ledger.Fault(FaultKind.Count, $"{difference}");

        var (since, until) = await WindowOfAllAsync(stop);
        await CompareAsync(since, until, stop);
        var most = 0.4 * (until - since);
        await CompareAsync(since + random.NextDouble() * most, until - random.NextDouble() * most, stop);
    }

    private async Task<(DateTime Since, DateTime Until)> WindowOfAllAsync(CancellationToken stop)
    {
        await using var bounds = stage.Cluster.Database.CreateCommand(
            $"""
            select min(timestamp), max(timestamp) + interval '1 second'
            from {LogSchema.Name}.mt_events
            where {LogRow.IsError}
            """);
        await using var reader = await bounds.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return (reader.GetDateTime(0), reader.GetDateTime(1));
    }

    private async Task CompareAsync(DateTime since, DateTime until, CancellationToken stop)
    {
        foreach (var statistic in Statistics)
            foreach (var application in stage.Applications)
                await CompareAsync(statistic, application, Text(since), Text(until), stop);
    }

    private async Task CompareAsync(
        Statistic statistic, Application application, string since, string until, CancellationToken stop)
    {
        var recounted = await RecountAsync(
            $"""
            {statistic.Select}
            from {LogSchema.Name}.mt_events
            where {LogRow.IsError}
              and tenant_id = '{application.Id}' and timestamp >= '{since}' and timestamp < '{until}'
            group by 1
            """, stop);
        var url = $"/apps/{application.Id}/stats/{statistic.Path}since={since}&until={until}";
        foreach (var node in stage.Running)
        {
            using var answer = JsonDocument.Parse(await node.Http.GetStringAsync(url, stop));
            var answered = Rows(answer.RootElement.GetProperty(statistic.List));
            foreach (var row in answered.Except(recounted))
                stage.Ledger.Fault(FaultKind.Count, $"node {node.Number} answers {row} to {url}, the log does not");
            foreach (var row in recounted.Except(answered))
                stage.Ledger.Fault(FaultKind.Count, $"node {node.Number} does not answer {row} to {url}");
        }
    }

    /// <summary>Which issue a message belongs to is not recounted here.</summary>
    private static List<string> Rows(JsonElement list) =>
    [
        .. list.EnumerateArray().Select(row =>
            string.Join(' ', row.EnumerateObject().Where(member => member.Name != "issue").Select(Value))),
    ];

    private static string Value(JsonProperty member) =>
        member.Value.ValueKind == JsonValueKind.String && member.Value.TryGetDateTimeOffset(out var at)
            ? $"{at.UtcDateTime:O}"
            : $"{member.Value}";

    private async Task<List<string>> RecountAsync(string sql, CancellationToken stop)
    {
        var rows = new List<string>();
        await using var command = stage.Cluster.Database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
        {
            var values = Enumerable.Range(0, reader.FieldCount).Select(reader.GetValue);
            rows.Add(string.Join(' ', values.Select(value => value is DateTime at ? $"{at:O}" : $"{value}")));
        }
        return rows;
    }

    private static string Text(DateTime at) => $"{at:yyyy-MM-ddTHH:mm:ss.ffffffZ}";

    /// <param name="Path">Of the question, after <c>/stats/</c>.</param>
    /// <param name="List">The member of the answer that holds the rows.</param>
    /// <param name="Select">The same from the log.</param>
    private sealed record Statistic(string Path, string List, string Select);
}
