using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Crash;

/// <summary>
/// One of two nodes is killed while people merge and split issues, and while rules are previewed or change. The other
/// one must go on with what was begun.
/// </summary>
internal static class IssueDisturbances
{
    public static async Task<string> MergeEndsAsync(Stage stage, Random random, CancellationToken stop)
    {
        await using var people = new Deciders(stage, random.Next(), stop);
        await stage.PauseAsync(random, 500, 3_000, stop);
        var waiting = people.Waiting;
        await stage.Nodes[random.Next(stage.Nodes.Count)].EndAsync(Child.Kill);
        await stage.PauseAsync(random, 500, 2_000, stop);
        return $"{waiting} under way";
    }

    public static async Task<string> PreviewEndsAsync(Stage stage, Random random, CancellationToken stop)
    {
        await using var people = new Deciders(stage, random.Next(), stop);
        var (asked, other) = Choose(stage, random);
        var application = stage.Applications[random.Next(stage.Applications.Count)];
        DateTime? since = random.Next(2) == 0 ? null : await MiddleOfLogAsync(stage, stop);

        var change = await RuleChange.PreviewAsync(asked, application, since, random, stop);
        var state = await EndAsync(change, asked, other, random, stop);
        await change.CompareAsync(stage, await change.DoneAsync(other, stop), since, stop);
        return state;
    }

    /// <summary>Mostly what was adopted is withdrawn again, and all numbers must be as they were.</summary>
    public static async Task<string> AdoptionEndsAsync(Stage stage, Random random, CancellationToken stop)
    {
        await using var people = new Deciders(stage, random.Next(), stop);
        var (asked, other) = Choose(stage, random);
        var application = stage.Applications[random.Next(stage.Applications.Count)];
        var isWithdrawn = random.Next(3) > 0;
        var endsLate = isWithdrawn && random.Next(2) == 0;
        var before = await NumbersAsync(stage, application, stop);

        var state = "";
        var adoption = await RuleChange.AdoptAsync(asked, application, random, stop);
        await Parcel.Probe(stage.Ledger, application, $"Novelty {(char)('a' + random.Next(10))}")
            .SendAsync(other, stage.Ledger);
        if (!endsLate) state = $"adoption {await EndAsync(adoption, asked, other, random, stop)}";
        await adoption.DoneAsync(other, stop);
        if (!isWithdrawn) return state;

        var withdrawal = await RuleChange.WithdrawAsync(endsLate ? asked : other, application, stop);
        if (endsLate) state = $"withdrawal {await EndAsync(withdrawal, asked, other, random, stop)}";
        await withdrawal.DoneAsync(other, stop);
        var after = await NumbersAsync(stage, application, stop);
        foreach (var group in before.Except(after))
            stage.Ledger.Fault(FaultKind.Count, $"{group} of application {application.Id} is gone after a withdrawal");
        return state;
    }

    private static (Node Asked, Node Other) Choose(Stage stage, Random random)
    {
        var asked = random.Next(stage.Nodes.Count);
        return (stage.Nodes[asked], stage.Nodes[1 - asked]);
    }

    /// <summary>Kills the node that carries a change out, soon after it has begun.</summary>
    /// <returns>How far it was.</returns>
    private static async Task<string> EndAsync(
        RuleChange change, Node asked, Node other, Random random, CancellationToken stop)
    {
        if (random.Next(4) > 0) await change.BegunAsync(other, stop);
        await Task.Delay(random.Next(100), stop);
        await asked.EndAsync(Child.Kill);
        return (await change.ReadAsync(other, stop)).State;
    }

    private static Task<DateTime> MiddleOfLogAsync(Stage stage, CancellationToken stop) =>
        stage.Cluster.ScalarAsync<DateTime>(
            $"""
            select min(timestamp) + (max(timestamp) - min(timestamp)) / 2
            from {LogSchema.Name}.mt_events
            where {LogRow.IsError}
            """, stop);

    /// <summary>The groups that serve, with their numbers.</summary>
    private static async Task<List<string>> NumbersAsync(Stage stage, Application application, CancellationToken stop)
    {
        await using var command = stage.Cluster.Database.CreateCommand(
            $"""
            select g.group_key, g.number
            from {CounterTables.Current.Groups} as g
            where g.tenant_id = '{application.Id}' and g.grouping = coalesce(
              (select a.grouping from {AdoptedRules.Table} as a where a.tenant_id = g.tenant_id), 0)
            """);
        await using var row = await command.ExecuteReaderAsync(stop);
        var groups = new List<string>();
        while (await row.ReadAsync(stop)) groups.Add($"group {row.GetString(0)} with number {row.GetInt32(1)}");
        return groups;
    }
}
