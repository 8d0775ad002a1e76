using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace ErrorTracker.Crash;

/// <summary>What the sender of a command was told.</summary>
internal enum CommandOutcome
{
    /// <summary>Nothing yet: nobody knows whether it was done.</summary>
    Unknown,

    /// <summary>It is done.</summary>
    Done,

    /// <summary>All was so already: nothing was done.</summary>
    Void,

    Refused,
}

/// <summary>A merge or a split with a name of its own, which is sent until it is answered, to whichever node.</summary>
/// <param name="path">Where it is sent to.</param>
/// <param name="body">All of it but its name.</param>
internal sealed class IssueCommand(string path, JsonObject body)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly List<string> _attempts = [];
    private string? _answer;

    public Guid Id { get; } = Guid.NewGuid();

    public CommandOutcome Outcome { get; private set; }

    /// <summary>Ends when it is answered, or after the limit, which is a fault.</summary>
    /// <param name="stage">Whose nodes it is sent to.</param>
    /// <param name="choose">To which of them next.</param>
    /// <param name="isRepeated">What is done is sent once more, and must be answered as before.</param>
    /// <param name="stop">Nobody waits any more.</param>
    public async Task SendAsync(Stage stage, Func<Node> choose, bool isRepeated, CancellationToken stop)
    {
        body["id"] = Id.ToString();
        for (var watch = Stopwatch.StartNew(); !await IsAnsweredAsync(stage, choose(), stop);)
        {
            if (watch.Elapsed > Recovery.Limit)
            {
                stage.Ledger.Fault(FaultKind.Gone, $"after {Recovery.Limit.TotalSeconds:0} s not answered: {this}");
                return;
            }
            await Task.Delay(Pause, stop);
        }
        if (isRepeated && Outcome == CommandOutcome.Done) await IsAnsweredAsync(stage, choose(), stop);
    }

    public override string ToString() => $"{path} {body.ToJsonString()}: {string.Join("; ", _attempts)}";

    private async Task<bool> IsAnsweredAsync(Stage stage, Node node, CancellationToken stop)
    {
        try
        {
            using var answer = await node.Http.PostAsJsonAsync(path, body, stop);
            var text = await answer.Content.ReadAsStringAsync(stop);
            Note($"{(int)answer.StatusCode} by node {node.Number} {text}");
            switch ((int)answer.StatusCode)
            {
                case 429 or 503 when answer.Headers.RetryAfter is not null:
                    return false;
                case 200:
                    Read(stage, text);
                    return true;
                case 400 or 404 or 409 when Outcome != CommandOutcome.Done:
                    Outcome = CommandOutcome.Refused;
                    return true;
                default:
                    stage.Ledger.Fault(FaultKind.Answer, $"{this}");
                    return true;
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TaskCanceledException { InnerException: not null })
        {
            Note($"no answer of node {node.Number}");
            return false;
        }
    }

    private void Read(Stage stage, string text)
    {
        if (_answer is not null && _answer != text)
            stage.Ledger.Fault(FaultKind.Answer, $"answered otherwise when it was sent again: {this}");
        _answer = text;
        using var json = JsonDocument.Parse(text);
        var isVoid = json.RootElement.TryGetProperty("merged", out var merged) && merged.GetArrayLength() == 0;
        Outcome = isVoid ? CommandOutcome.Void : CommandOutcome.Done;
    }

    private void Note(string attempt) => _attempts.Add($"{DateTime.UtcNow:HH:mm:ss.fff} {attempt}");
}
