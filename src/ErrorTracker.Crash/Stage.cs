using System.Collections.Concurrent;
using System.Net.Http.Json;
using System.Text.Json;

namespace ErrorTracker.Crash;

/// <summary>A PostgreSQL, one or two nodes on it, and all that was sent to them.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private const int Senders = 3;

    private readonly List<Node> _spare;

    private Stage(string folder, string program, Cluster cluster, Ground ground, double pace)
    {
        Folder = folder;
        Cluster = cluster;
        Ground = ground;
        Pace = pace;
        var database = ground == Ground.OwnedByApi
            ? ("ErrorTracker__DataFolder", cluster.Folder)
            : ("ConnectionStrings__ErrorTracker", cluster.ConnectionString);
        _spare = [.. Enumerable.Range(1, 2).Select(NewNode)];

        Node NewNode(int number) => new(number, program, Path.Combine(folder, $"node-{number}.log"), database);
    }

    /// <summary>Where its data and logs are.</summary>
    public string Folder { get; }

    public Cluster Cluster { get; }

    public Ground Ground { get; }

    /// <summary>How long the stretches are that chance decides, and how dense the load is, against the usual.</summary>
    public double Pace { get; }

    public Ledger Ledger { get; } = new();

    /// <summary>What people have decided about issues.</summary>
    public ConcurrentQueue<IssueCommand> Commands { get; } = [];

    public List<Application> Applications { get; } = [];

    /// <summary>Those of the round, whether they run at the moment or not.</summary>
    public List<Node> Nodes { get; } = [];

    public IEnumerable<Node> Running => Nodes.Where(node => node.IsStarted);

    public static async Task<Stage> CreateAsync(string program, Ground ground, double pace, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("errortracker-crash-").FullName;
        // PostgreSQL may run as another user.
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute);
        var stage = new Stage(folder, program, await Cluster.CreateAsync(folder, ground, stop), ground, pace);
        try
        {
            await stage.UseAsync(1, stop);
            for (var i = 0; i < Senders; i++)
            {
                using var answer = await stage.Nodes[0].Http.PostAsync($"/apps/crash-{i}", null, stop);
                var registered = await answer.Content.ReadFromJsonAsync<JsonElement>(stop);
                var (id, key) = (registered.GetProperty("id"), registered.GetProperty("ingest_key"));
                stage.Applications.Add(new(id.GetInt32(), key.GetString()!));
            }
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sees to it that so many nodes run and are ready.</summary>
    public async Task UseAsync(int nodes, CancellationToken stop)
    {
        while (Nodes.Count > nodes)
        {
            var last = Nodes[^1];
            var code = await last.EndAsync(Child.Terminate);
            if (code != 0) Ledger.Fault(FaultKind.Gone, $"node {last.Number} ended with {code} on SIGTERM");
            Nodes.Remove(last);
        }
        while (Nodes.Count < nodes)
        {
            var next = _spare[Nodes.Count];
            Nodes.Add(next);
            await next.StartAsync();
            await Recovery.ReadyAsync(next, stop);
        }
    }

    public Task PauseAsync(Random random, int from, int to, CancellationToken stop) =>
        Task.Delay((int)(random.Next(from, to) * Pace), stop);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _spare) await node.DisposeAsync();
        await Cluster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
