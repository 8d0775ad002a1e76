namespace ErrorTracker.Crash;

/// <summary>Senders that go on whatever is answered, one event or one batch at a time each, until they are told to stop. What has names some of them send again, also to another node.</summary>
internal sealed class Traffic(Stage stage, int seed)
{
    private const int Singles = 8, Batches = 3, MostAttempts = 40;

    private readonly CancellationTokenSource _stop = new();
    private Task _senders = Task.CompletedTask;

    public void Start() => _senders = Task.WhenAll(Enumerable.Range(0, Singles + Batches).Select(sender => Task.Run(() => SendAsync(new Random(seed + sender), isBatch: sender >= Singles))));

    /// <summary>Ends when all that was sent is answered or lost.</summary>
    public async Task StopAsync(CancellationToken abandon)
    {
        await _stop.CancelAsync();
        await _senders.WaitAsync(abandon);
    }

    private async Task SendAsync(Random random, bool isBatch)
    {
        while (!_stop.IsCancellationRequested)
        {
            var (parcel, node) = (Parcel.Make(random, stage.Ledger, stage.Applications, isBatch), NodeFor(random));
            await parcel.SendAsync(node, stage.Ledger);
            for (var attempt = 1; parcel.MayRepeat && attempt < MostAttempts && random.Next(parcel.IsAcknowledged ? 8 : 2) == 0; attempt++)
            {
                await PauseAsync(random, parcel.IsAcknowledged ? 20 : 300);
                await parcel.SendAsync(NodeFor(random), stage.Ledger);
            }
            await PauseAsync(random, !parcel.IsAcknowledged ? 200 : isBatch ? 150 : 20);
        }
    }

    private Node NodeFor(Random random) => stage.Nodes[random.Next(stage.Nodes.Count)];

    private async Task PauseAsync(Random random, int milliseconds)
    {
        try
        {
            await Task.Delay((int)(random.Next(milliseconds) / stage.Pace), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The end of the load.
        }
    }
}
