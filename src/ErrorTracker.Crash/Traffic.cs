namespace ErrorTracker.Crash;

/// <summary>
/// Senders that go on whatever is answered, one event or one batch at a time each, until it is disposed of: that ends
/// when all that was sent is answered or lost. What has names some of them send again, also to another node.
/// </summary>
internal sealed class Traffic : IAsyncDisposable
{
    private const int Singles = 8, Batches = 3, MostAttempts = 40;

    private readonly Stage _stage;
    private readonly CancellationToken _abandon;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _senders;

    /// <param name="abandon">Nobody waits for answers any more.</param>
    public Traffic(Stage stage, int seed, CancellationToken abandon)
    {
        _stage = stage;
        _abandon = abandon;
        _senders = Task.WhenAll(Enumerable.Range(0, Singles + Batches).Select(sender =>
            Task.Run(() => SendAsync(new Random(seed + sender), isBatch: sender >= Singles))));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _senders.WaitAsync(_abandon);
        _stop.Dispose();
    }

    private async Task SendAsync(Random random, bool isBatch)
    {
        while (!_stop.IsCancellationRequested)
        {
            var parcel = Parcel.Make(random, _stage.Ledger, _stage.Applications, isBatch);
            await parcel.SendAsync(NodeFor(random), _stage.Ledger);
            for (var attempt = 1; attempt < MostAttempts && SendsAgain(parcel, random); attempt++)
            {
                await PauseAsync(random, parcel.IsAcknowledged ? 20 : 300);
                await parcel.SendAsync(NodeFor(random), _stage.Ledger);
            }
            await PauseAsync(random, !parcel.IsAcknowledged ? 200 : isBatch ? 150 : 20);
        }
    }

    private static bool SendsAgain(Parcel parcel, Random random) =>
        parcel.MayRepeat && random.Next(parcel.IsAcknowledged ? 8 : 2) == 0;

    private Node NodeFor(Random random) => _stage.Nodes[random.Next(_stage.Nodes.Count)];

    private async Task PauseAsync(Random random, int milliseconds)
    {
        try
        {
            await Task.Delay((int)(random.Next(milliseconds) / _stage.Pace), _stop.Token);
        }
        catch (OperationCanceledException)
        {
            // The end of the load.
        }
    }
}
