namespace ErrorTracker.Crash;

/// <summary>What a round came to.</summary>
/// <param name="Detail">What was done.</param>
/// <param name="Refused">Invalid ones too.</param>
/// <param name="Unknown">Those of which no answer came, whether stored or not.</param>
/// <param name="Recovery">Null if it did not come back.</param>
internal sealed record RoundReport(
    int Number, string Kind, string Detail,
    int Sent, int Acknowledged, int Refused, int Unknown,
    Recovery? Recovery, IReadOnlyList<Fault> Faults)
{
    /// <summary>Where its logs are, if anything was wrong.</summary>
    public string? Logs { get; init; }
}

/// <summary>
/// One disturbance under load: it happens, all comes back by itself, the load ends, and then all that was answered is
/// held against the log.
/// </summary>
internal sealed class Round(Stage stage, Disturbance kind, Random random)
{
    /// <summary>Acknowledged before anything happens: the load is under way.</summary>
    private const int UnderWay = 100;

    private static readonly TimeSpan LongestWarmUp = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(20);

    private string _detail = "";
    private Recovery? _recovery;

    public async Task<RoundReport> RunAsync(int number, CancellationToken stop)
    {
        var start = stage.Ledger.Count;
        await AttemptAsync(() => stage.UseAsync(kind.Nodes, stop), stop);
        await AttemptAsync(() => DisturbAsync(stop), stop);
        await AttemptAsync(() => CheckAsync(start, stop), stop);
        foreach (var node in stage.Nodes.Where(node => node.HasDied))
            stage.Ledger.Fault(FaultKind.Gone, $"node {node.Number} ended by itself");

        var sent = stage.Ledger.Sent.Skip(start).ToList();
        var acknowledged = sent.Count(one => one.IsAcknowledged);
        var unknown = sent.Count(one => one is { IsUnknown: true, IsAcknowledged: false });
        var refused = sent.Count - acknowledged - unknown;
        return new(
            number, kind.Name, _detail,
            sent.Count, acknowledged, refused, unknown,
            _recovery, [.. stage.Ledger.Faults]);
    }

    /// <summary>Whatever fails, what follows may still show what became of the events.</summary>
    private async Task AttemptAsync(Func<Task> step, CancellationToken stop)
    {
        try
        {
            await step();
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            stage.Ledger.Fault(FaultKind.Gone, e is TimeoutException ? e.Message : $"{e}");
        }
    }

    private async Task DisturbAsync(CancellationToken stop)
    {
        await using var traffic = new Traffic(stage, random.Next(), stop);
        await IsUnderWayAsync(stop);
        await stage.PauseAsync(random, 0, 3_000, stop);
        _detail = await kind.HappenAsync(stage, random, stop);
        var recovery = await Recovery.MeasureAsync(stage, stop);
        foreach (var node in stage.Nodes.Where(node => !node.IsStarted))
        {
            await node.StartAsync();
            await Recovery.MeasureAsync(stage, stop);
        }
        await stage.PauseAsync(random, 0, 1_000, stop);
        _recovery = recovery;
    }

    private async Task IsUnderWayAsync(CancellationToken stop)
    {
        var start = stage.Ledger.Count;
        for (var deadline = DateTime.UtcNow + LongestWarmUp; ; await Task.Delay(Pause, stop))
        {
            if (stage.Ledger.Sent.Skip(start).Count(sent => sent.IsAcknowledged) >= UnderWay) return;
            if (DateTime.UtcNow < deadline) continue;
            var seconds = LongestWarmUp.TotalSeconds;
            throw new TimeoutException($"After {seconds:0} s of load hardly anything is acknowledged.");
        }
    }

    private async Task CheckAsync(int start, CancellationToken stop)
    {
        await Recovery.AllFoldedAsync(stage.Cluster, stop);
        await stage.Ledger.CompareAsync(stage.Cluster.Database, kind.IsOrderly ? start : null, stop);
        await new Recount(stage).CompareAsync(random, stop);
        if (!stage.Commands.IsEmpty) await new IssueRecount(stage).CompareAsync(stop);
    }
}
