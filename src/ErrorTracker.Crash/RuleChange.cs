using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using ErrorTracker.Issues;
using ErrorTracker.Log;

namespace ErrorTracker.Crash;

/// <summary>A preview, an adoption or a withdrawal of rules that a node has answered with 202.</summary>
/// <param name="Application">Whose rules.</param>
/// <param name="Id">By which it is asked for.</param>
internal sealed record RuleChange(Application Application, Guid Id)
{
    /// <summary>Some merge groups, some split them, some do both.</summary>
    private static readonly string[] RuleSets =
    [
        """{"fingerprints": [{"match": {"message": "*a*"}, "parts": ["with an a"]}]}""",
        """{"fingerprints": [{"match": {"level": "ERROR"}, "parts": ["{{ default }}", "error"]}]}""",
        """
        {"fingerprints": [
          {"match": {"message": "Refund*"}, "parts": ["{{ default }}", "{{ level }}"]},
          {"match": {"message": "*er*"}, "parts": ["with an er"]}]}
        """,
    ];

    /// <param name="node">That is asked.</param>
    /// <param name="application">Whose rules.</param>
    /// <param name="since">Only events received then or later; null: all.</param>
    /// <param name="random">Decides which rules.</param>
    /// <param name="stop">Cuts it off.</param>
    public static Task<RuleChange> PreviewAsync(
        Node node, Application application, DateTime? since, Random random, CancellationToken stop)
    {
        var body = new JsonObject { ["rules"] = Rules(random) };
        if (since is { } from) body["since"] = $"{from:O}";
        return BeginAsync(node, application, HttpMethod.Post, "/preview", body, stop);
    }

    public static Task<RuleChange> AdoptAsync(
        Node node, Application application, Random random, CancellationToken stop) =>
        BeginAsync(node, application, HttpMethod.Put, "", Rules(random), stop);

    public static Task<RuleChange> WithdrawAsync(Node node, Application application, CancellationToken stop) =>
        BeginAsync(node, application, HttpMethod.Delete, "", null, stop);

    /// <summary>Waits until it has begun, or is done.</summary>
    public Task BegunAsync(Node node, CancellationToken stop) =>
        Recovery.UntilAsync($"change {Id} has begun", async () =>
        {
            var now = await ReadAsync(node, stop);
            return (now.State != GroupingChange.Waiting, $"{now}");
        }, stop);

    /// <summary>Waits until it is done, whoever carries it out.</summary>
    public async Task<GroupingChangeState> DoneAsync(Node node, CancellationToken stop)
    {
        await Recovery.UntilAsync($"change {Id} is done", async () =>
        {
            var now = await ReadAsync(node, stop);
            return (now.State == GroupingChange.Done, $"{now}");
        }, stop);
        return await ReadAsync(node, stop);
    }

    public async Task<GroupingChangeState> ReadAsync(Node node, CancellationToken stop)
    {
        var url = $"/apps/{Application.Id}/grouping/changes/{Id}";
        return (await node.Http.GetFromJsonAsync<GroupingChangeState>(url, Deciders.Json, stop))!;
    }

    /// <summary>The numbers of a preview must be those of the log.</summary>
    public async Task CompareAsync(
        Stage stage, GroupingChangeState done, DateTime? since, CancellationToken stop)
    {
        var counted = await stage.Cluster.ScalarAsync<long>(
            $"""
            select count(*) from {LogSchema.Name}.mt_events
            where {LogRow.IsError} and tenant_id = '{Application.Id}' and seq_id <= {done.Through}
              and timestamp >= '{since ?? DateTime.UnixEpoch:O}'
            """, stop);
        var found = done.Result!;
        if (found.Events != counted)
            stage.Ledger.Fault(FaultKind.Count, $"a preview counts {found.Events} events, the log {counted}: {done}");
        if (found.Moved > found.Events) stage.Ledger.Fault(FaultKind.Count, $"more is moved than there is: {found}");
        foreach (var merge in found.Merges.Where(merge => merge.From.Sum(part => part.Events) != merge.Events))
            stage.Ledger.Fault(FaultKind.Count, $"a previewed merge does not add up: {merge}");
        foreach (var split in found.Splits.Where(split => split.Parts.Sum(part => part.Events) != split.Events))
            stage.Ledger.Fault(FaultKind.Count, $"a previewed split does not add up: {split}");
    }

    private static JsonObject Rules(Random random) =>
        JsonNode.Parse(RuleSets[random.Next(RuleSets.Length)])!.AsObject();

    private static async Task<RuleChange> BeginAsync(
        Node node, Application application, HttpMethod method, string path, JsonObject? body, CancellationToken stop)
    {
        using var request = new HttpRequestMessage(method, $"/apps/{application.Id}/grouping{path}");
        if (body is not null) request.Content = JsonContent.Create(body);
        using var answer = await node.Http.SendAsync(request, stop);
        var text = await answer.Content.ReadAsStringAsync(stop);
        if (answer.StatusCode != HttpStatusCode.Accepted)
            throw new InvalidOperationException($"{method} {path}: {(int)answer.StatusCode} {text}");
        return new(application, JsonNode.Parse(text)!["id"]!.GetValue<Guid>());
    }
}
