using System.Net.Http.Json;
using ErrorTracker.Issues;
using ErrorTracker.Log;

namespace ErrorTracker.Crash;

/// <summary>Holds what people were answered against the log, and what every node answers of issues.</summary>
internal sealed class IssueRecount(Stage stage)
{
    public async Task CompareAsync(CancellationToken stop)
    {
        await CompareCommandsAsync(stop);
        await VerifyAsync(stop);
        foreach (var node in stage.Running)
            foreach (var application in stage.Applications)
                await CompareAsync(node, application, stop);
    }

    /// <summary>What was answered as done is in the log once; what was refused, or had nothing to do, is not.</summary>
    private async Task CompareCommandsAsync(CancellationToken stop)
    {
        var stored = await StoredAsync(stop);
        foreach (var command in stage.Commands)
        {
            var times = stored.GetValueOrDefault(command.Id);
            if (times > 1) stage.Ledger.Fault(FaultKind.Doubled, $"{times} times in the log: {command}");
            if (times == 0 && command.Outcome == CommandOutcome.Done)
                stage.Ledger.Fault(FaultKind.Lost, $"not in the log: {command}");
            if (times > 0 && command.Outcome is CommandOutcome.Refused or CommandOutcome.Void)
                stage.Ledger.Fault(FaultKind.RefusedButStored, $"in the log: {command}");
        }
    }

    private async Task<Dictionary<Guid, long>> StoredAsync(CancellationToken stop)
    {
        await using var command = stage.Cluster.Database.CreateCommand(
            $"""
            select (data->>'command')::uuid, count(*)
            from {LogSchema.Name}.mt_events
            where type in ('{DecisionKinds.IssuesMerged.StoredType}', '{DecisionKinds.IssueSplit.StoredType}')
            group by 1
            """);
        await using var row = await command.ExecuteReaderAsync(stop);
        var stored = new Dictionary<Guid, long>();
        while (await row.ReadAsync(stop)) stored.Add(row.GetGuid(0), row.GetInt64(1));
        return stored;
    }

    private async Task VerifyAsync(CancellationToken stop)
    {
        var verify = await stage.Running.First().RunAsync("projections", "verify", "issues");
        var code = await verify.Exited.WaitAsync(Recovery.Limit, stop);
        if (code != 0) stage.Ledger.Fault(FaultKind.Count, $"projections verify issues ended with {code}");
    }

    /// <summary>Its issues hold every event once, also by level.</summary>
    private async Task CompareAsync(Node node, Application application, CancellationToken stop)
    {
        var logged = await stage.Cluster.ScalarAsync<long>(
            $"select count(*) from {LogSchema.Name}.mt_events where {LogRow.IsError} and tenant_id = '{application.Id}'",
            stop);
        var path = $"/apps/{application.Id}";
        var page = await GetAsync<IssuePage>(node, $"{path}/issues?state=all&limit=100", stop);
        var counted = page.Items.Sum(issue => issue.Count);
        if (counted != logged)
            stage.Ledger.Fault(
                FaultKind.Count, $"node {node.Number}: {path}/issues count {counted} events, the log has {logged}");
        foreach (var issue in page.Items)
        {
            var details = await GetAsync<IssueDetails>(node, $"{path}/issues/{issue.Number}", stop);
            var byLevel = details.ByLevel.Sum(level => level.Count);
            if ((details.Number, details.Count, byLevel) != (issue.Number, issue.Count, issue.Count))
                stage.Ledger.Fault(
                    FaultKind.Count,
                    $"node {node.Number}: issue {details.Number} has {details.Count} events, {byLevel} by level; "
                    + $"the list says that {issue.Number} has {issue.Count}");
        }
    }

    private static async Task<T> GetAsync<T>(Node node, string url, CancellationToken stop) =>
        (await node.Http.GetFromJsonAsync<T>(url, Deciders.Json, stop))!;
}
