using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using ErrorTracker.Issues;

namespace ErrorTracker.Crash;

/// <summary>
/// People who merge and split issues one after another, each at the node that answers, until it is disposed of: that
/// ends when all their commands are answered.
/// </summary>
internal sealed class Deciders : IAsyncDisposable
{
    /// <summary>At one node as many decisions are made at once.</summary>
    private const int People = 4;

    /// <summary>An application has about ten groups: more would be one issue soon.</summary>
    private const int MostMerged = 2;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly Stage _stage;
    private readonly CancellationToken _abandon;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _people;
    private int _waiting;

    /// <param name="abandon">Nobody waits for answers any more.</param>
    public Deciders(Stage stage, int seed, CancellationToken abandon)
    {
        _stage = stage;
        _abandon = abandon;
        _people = Task.WhenAll(Enumerable.Range(0, People).Select(person =>
            Task.Run(() => DecideAsync(new Random(seed + person)))));
    }

    /// <summary>Commands that are sent and not answered.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _people.WaitAsync(2 * Recovery.Limit, _abandon);
        _stop.Dispose();
    }

    private async Task DecideAsync(Random random)
    {
        while (!_stop.IsCancellationRequested)
        {
            var command = await FindCommandAsync(random);
            if (command is null)
            {
                await Task.Delay(Pause, _abandon);
                continue;
            }
            _stage.Commands.Enqueue(command);
            Interlocked.Increment(ref _waiting);
            await command.SendAsync(_stage, () => NodeFor(random), isRepeated: random.Next(4) == 0, _abandon);
            Interlocked.Decrement(ref _waiting);
        }
    }

    private Node NodeFor(Random random) => _stage.Nodes[random.Next(_stage.Nodes.Count)];

    /// <summary>Null if the issues cannot be read just now, or there are too few of them.</summary>
    private async Task<IssueCommand?> FindCommandAsync(Random random)
    {
        var application = _stage.Applications[random.Next(_stage.Applications.Count)];
        var path = $"/apps/{application.Id}/issues";
        try
        {
            var page = await NodeFor(random).Http.GetFromJsonAsync<IssuePage>($"{path}?limit=100", Json, _abandon);
            return CommandFor(path, [.. page!.Items], random);
        }
        catch (Exception e)
            when (e is HttpRequestException or IOException or TaskCanceledException { InnerException: not null })
        {
            return null;
        }
    }

    public static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private static IssueCommand? CommandFor(string path, IssueItem[] issues, Random random)
    {
        random.Shuffle(issues);
        var merged = Array.Find(issues, issue => issue.Keys.Count > 1);
        if (merged is not null && random.Next(2) == 0)
        {
            var keys = merged.Keys.ToArray();
            random.Shuffle(keys);
            var leaving = keys.Take(random.Next(1, keys.Length)).Select(key => (JsonNode)key);
            return new($"{path}/{merged.Number}/split", new() { ["keys"] = new JsonArray([.. leaving]) });
        }
        if (issues.Length <= MostMerged) return null;
        var others = issues[1..(2 + random.Next(MostMerged))].Select(issue => (JsonNode)issue.Number);
        return new($"{path}/merge", new() { ["into"] = issues[0].Number, ["issues"] = new JsonArray([.. others]) });
    }
}
