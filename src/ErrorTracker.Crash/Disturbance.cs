using System.Diagnostics;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Crash;

/// <summary>A kind of accident.</summary>
/// <param name="Name">For people and the command line.</param>
/// <param name="Nodes">On how many nodes it happens.</param>
/// <param name="HappenAsync">
/// Ends when all that was taken away is given back or launched again, and says what was done. A node that stays away is
/// started later.
/// </param>
internal sealed record Disturbance(
    string Name, int Nodes, Func<Stage, Random, CancellationToken, Task<string>> HappenAsync)
{
    private static readonly TimeSpan LongestFilling = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan LongestRebuild = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// Whether the projection runs on the node that was started last: Wolverine numbers them in the order of their
    /// starts.
    /// </summary>
    private const string LatestFolds =
        $"""
        select exists
        (
          select
          from {LogSchema.Name}.wolverine_node_assignments as assigned
          join {LogSchema.Name}.wolverine_nodes as nodes on nodes.id = assigned.node_id
          where assigned.id like 'event-subscriptions:%'
            and nodes.node_number = (select max(latest.node_number) from {LogSchema.Name}.wolverine_nodes as latest)
        )
        """;

    /// <summary>A connection that does something, if any does.</summary>
    private const string SomeBackend =
        """
        select pid
        from pg_stat_activity
        where backend_type = 'client backend' and pid <> pg_backend_pid()
        order by state, random()
        limit 1
        """;

    /// <summary>The API ends in good order: what it took it answers first.</summary>
    public bool IsOrderly { get; private init; }

    public Ground Ground { get; private init; }

    public static readonly Disturbance[] All =
    [
        new("api-killed", 1, (stage, random, stop) => ApiEndsAsync(stage, random, Child.Kill, stop)),
        new("api-terminated", 1, (stage, random, stop) => ApiEndsAsync(stage, random, Child.Terminate, stop))
        {
            IsOrderly = true,
        },
        new("node-killed", 2, (stage, random, stop) => OneOfTwoEndsAsync(stage, random, Child.Kill, stop)),
        new("node-terminated", 2, (stage, random, stop) => OneOfTwoEndsAsync(stage, random, Child.Terminate, stop))
        {
            IsOrderly = true,
        },
        new("postgres-killed", 2, (stage, random, stop) => PostgresEndsAsync(stage, random, Child.Kill, stop)),
        new("postgres-restarted", 1, (stage, random, stop) => PostgresEndsAsync(stage, random, Child.Interrupt, stop)),
        new("backend-killed", 2, (stage, _, stop) => BackendEndsAsync(stage, stop)),
        new("connections-ended", 2, ConnectionsEndAsync),
        new("postgres-paused", 1, PostgresPausesAsync),
        new("rebuild-killed", 2, RebuildEndsAsync),
        new("disk-full", 1, DiskFillsAsync) { Ground = Ground.SmallDisk },
        new("merge-killed", 2, IssueDisturbances.MergeEndsAsync),
        new("preview-killed", 2, IssueDisturbances.PreviewEndsAsync),
        new("adoption-killed", 2, IssueDisturbances.AdoptionEndsAsync),
        OwnedPostgresEnds("owned-killed", Child.Kill),
        OwnedPostgresEnds("owned-interrupted", Child.Interrupt),
        OwnedPostgresEnds("owned-terminated", Child.Terminate),
    ];

    private static Disturbance OwnedPostgresEnds(string name, int signal) =>
        new(name, 1, (stage, random, stop) => OwnedPostgresEndsAsync(stage, random, signal, stop))
        {
            Ground = Ground.OwnedByApi,
        };

    private static async Task<string> ApiEndsAsync(Stage stage, Random random, int signal, CancellationToken stop)
    {
        var node = stage.Nodes[0];
        var again = signal == Child.Kill && random.Next(3) == 0;
        await EndAsync(stage, node, signal);
        await stage.PauseAsync(random, 0, 1_000, stop);
        await node.StartAsync();
        if (!again) return "";
        await stage.PauseAsync(random, 0, 3_000, stop);
        await EndAsync(stage, node, signal);
        await node.StartAsync();
        return "again at its start";
    }

    private static async Task<string> OneOfTwoEndsAsync(Stage stage, Random random, int signal, CancellationToken stop)
    {
        var node = stage.Nodes[random.Next(stage.Nodes.Count)];
        var isLatest = node == stage.Nodes.MaxBy(other => other.StartedAt);
        var folds = isLatest == await stage.Cluster.ScalarAsync<bool>(LatestFolds, stop);
        await EndAsync(stage, node, signal);
        return $"node {node.Number}, {(folds ? "it folded" : "it did not fold")}";
    }

    private static async Task EndAsync(Stage stage, Node node, int signal)
    {
        var code = await node.EndAsync(signal);
        if (signal == Child.Terminate && code != 0)
            stage.Ledger.Fault(FaultKind.Gone, $"node {node.Number} ended with {code} on SIGTERM");
    }

    private static async Task<string> PostgresEndsAsync(Stage stage, Random random, int signal, CancellationToken stop)
    {
        await stage.Cluster.EndAsync(signal);
        await stage.PauseAsync(random, 0, 2_000, stop);
        await stage.Cluster.StartAsync();
        return "";
    }

    /// <summary>
    /// The server of the API's own cluster, which it starts again by itself; sometimes another ends just when that is
    /// under way.
    /// </summary>
    private static async Task<string> OwnedPostgresEndsAsync(
        Stage stage, Random random, int signal, CancellationToken stop)
    {
        stage.Cluster.SignalPostmaster(signal);
        if (random.Next(3) > 0) return "";
        await stage.PauseAsync(random, 0, 3_000, stop);
        return stage.Cluster.SignalPostmaster(Child.Kill) ? "again, killed" : "";
    }

    /// <summary>
    /// As the kernel does it where memory is short: the server ends all its connections and recovers.
    /// </summary>
    private static async Task<string> BackendEndsAsync(Stage stage, CancellationToken stop)
    {
        var backend = await stage.Cluster.ScalarAsync<int>(SomeBackend, stop);
        Child.Signal(backend, Child.Kill);
        return "";
    }

    private static async Task<string> ConnectionsEndAsync(Stage stage, Random random, CancellationToken stop)
    {
        var times = random.Next(2, 7);
        for (var i = 0; i < times; i++)
        {
            await stage.Cluster.TerminateConnectionsAsync(stop);
            await stage.PauseAsync(random, 20, 500, stop);
        }
        return $"{times} times";
    }

    private static async Task<string> PostgresPausesAsync(Stage stage, Random random, CancellationToken stop)
    {
        stage.Cluster.SignalAll(Child.Stop);
        var watch = Stopwatch.StartNew();
        try
        {
            await stage.PauseAsync(random, 2_000, 6_000, stop);
        }
        finally
        {
            stage.Cluster.SignalAll(Child.Continue);
        }
        return $"for {watch.Elapsed.TotalSeconds:0.0} s";
    }

    /// <summary>
    /// PostgreSQL ends itself when it can write no more of its log; whoever gives it room starts it again.
    /// </summary>
    private static async Task<string> DiskFillsAsync(Stage stage, Random random, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        for (; watch.Elapsed < LongestFilling; await Task.Delay(Pause, stop))
        {
            stage.Cluster.Fill(); // also what it has freed meanwhile
            var probe = Parcel.Probe(stage.Ledger, stage.Applications[0]);
            await probe.SendAsync(stage.Nodes[0], stage.Ledger);
            if (!probe.IsAcknowledged) break;
        }
        var refused = watch.Elapsed.TotalSeconds;
        await stage.PauseAsync(random, 0, 5_000, stop);
        stage.Cluster.Relieve();
        var ended = stage.Cluster.HasEnded;
        if (ended)
        {
            await stage.Cluster.EndAsync(Child.Kill);
            await stage.Cluster.StartAsync();
        }
        return $"503 after {refused:0} s{(ended ? ", ended" : "")}";
    }

    /// <summary>
    /// Killed while it holds its lock; then run to its end, for which the server must have noticed that its client is
    /// gone.
    /// </summary>
    private static async Task<string> RebuildEndsAsync(Stage stage, Random random, CancellationToken stop)
    {
        var rebuild = await stage.Nodes[0].RunAsync("projections", "rebuild");
        await HoldsLockAsync(stage, rebuild, stop);
        await stage.PauseAsync(random, 0, 400, stop);
        var done = rebuild.Exited.IsCompleted;
        await rebuild.EndAsync(Child.Kill, LongestRebuild);

        for (var deadline = DateTime.UtcNow + LongestRebuild; ;)
        {
            var again = await stage.Nodes[^1].RunAsync("projections", "rebuild");
            var code = await again.Exited.WaitAsync(LongestRebuild, stop);
            if (code == 0) return done ? "it was done already" : "then run to its end";
            if (DateTime.UtcNow < deadline) continue;
            stage.Ledger.Fault(FaultKind.Gone, $"a rebuild that was killed cannot be resumed: exit code {code}");
            return "not resumed";
        }
    }

    private static async Task HoldsLockAsync(Stage stage, Child rebuild, CancellationToken stop)
    {
        await using var connection = await stage.Cluster.Database.OpenConnectionAsync(stop);
        await using var isHeld = new NpgsqlCommand(
            $"select exists (select from pg_locks where locktype = 'advisory' and objid = {CountersProjection.Definition.RebuildLock})",
            connection);
        while (!rebuild.Exited.IsCompleted && await isHeld.ExecuteScalarAsync(stop) is false)
            await Task.Delay(Pause, stop);
    }
}
