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
        (Folder, Cluster, Ground, Pace) = (folder, cluster, ground, pace);
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

    public List<Application> Applications { get; } = [];

    /// <summary>Those of the round, whether they run at the moment or not.</summary>
    public List<Node> Nodes { get; } = [];

    public IEnumerable<Node> Running => Nodes.Where(node => node.IsStarted);

    public static async Task<Stage> CreateAsync(string program, Ground ground, double pace, CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("errortracker-crash-").FullName;
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.OtherExecute); // PostgreSQL may be another user
        var stage = new Stage(folder, program, await Cluster.CreateAsync(folder, ground, stop), ground, pace);
        try
        {
            await stage.UseAsync(1, stop);
            for (var i = 0; i < Senders; i++)
            {
                var registered = await (await stage.Nodes[0].Http.PostAsync($"/apps/crash-{i}", null, stop)).Content.ReadFromJsonAsync<JsonElement>(stop);
                stage.Applications.Add(new(registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!));
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
        for (; Nodes.Count > nodes; Nodes.RemoveAt(Nodes.Count - 1))
            if (await Nodes[^1].EndAsync(Child.Terminate) is not 0 and var code) Ledger.Fault(FaultKind.Gone, $"node {Nodes[^1].Number} ended with {code} on SIGTERM");
        for (; Nodes.Count < nodes; await Recovery.ReadyAsync(Nodes[^1], stop))
        {
            Nodes.Add(_spare[Nodes.Count]);
            await Nodes[^1].StartAsync();
        }
    }

    public Task PauseAsync(Random random, int from, int to, CancellationToken stop) => Task.Delay((int)(random.Next(from, to) * Pace), stop);

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _spare) await node.DisposeAsync();
        await Cluster.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
