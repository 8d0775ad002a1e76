namespace ErrorTracker.Intake;

/// <summary>
/// A body that is being read, inflated if it is compressed. Closing it leaves the request's own stream open, and gives
/// the decoder's memory back.
/// </summary>
/// <param name="stream">The request's, or the decoder's.</param>
/// <param name="budget">Of the request.</param>
/// <param name="memory">Bytes that the decoder has taken from the budget; 0 without a decoder.</param>
internal readonly struct OpenBody(Stream stream, RequestBudget budget, long memory = 0) : IAsyncDisposable
{
    /// <summary>Takes the request's turn to inflate, and leaves it to wait for the network.</summary>
    /// <param name="into">A buffer.</param>
    /// <param name="size">Bytes that were read before.</param>
    /// <param name="stop">Ends the reading.</param>
    public ValueTask<int> ReadAsync(Memory<byte> into, long size, CancellationToken stop) =>
        memory == 0 ? BeginRead(into, stop) : InflateAsync(into, size, stop);

    private async ValueTask<int> InflateAsync(Memory<byte> into, long size, CancellationToken stop)
    {
        await budget.TakeTurnAsync(size, stop);
        return await BeginRead(into, stop);
    }

    private ValueTask<int> BeginRead(Memory<byte> into, CancellationToken stop)
    {
        var reading = stream.ReadAsync(into, stop);
        if (!reading.IsCompleted) budget.LeaveTurn();
        return reading;
    }

    public async ValueTask DisposeAsync()
    {
        if (memory == 0) return;
        await stream.DisposeAsync();
        budget.Return(memory);
    }
}
