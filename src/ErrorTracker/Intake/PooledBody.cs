using System.Buffers;

namespace ErrorTracker.Intake;

/// <summary>A body that is held whole, in a buffer of the pool. Disposing of it lets others use the buffer.</summary>
internal sealed class PooledBody : IDisposable
{
    private const int FirstBuffer = 16 * 1024;

    private byte[] _buffer = [];

    /// <summary>As asked for; the pool's buffers are longer.</summary>
    public int Capacity { get; private set; }

    public int Length { get; set; }

    public Memory<byte> Bytes => _buffer.AsMemory(0, Length);

    public Memory<byte> Free => _buffer.AsMemory(Length, Capacity - Length);

    /// <summary>
    /// Reads the body of a request to its end, but no further than one byte more than allowed. The buffer grows with
    /// what arrives.
    /// </summary>
    /// <param name="request">Whose body it is.</param>
    /// <param name="largest">Bytes that are allowed, inflated.</param>
    /// <param name="budget">The buffer takes its memory from it.</param>
    /// <param name="stop">Ends the reading.</param>
    /// <returns>The body, to be disposed of, or why it is refused.</returns>
    public static async Task<(PooledBody? Body, IntakeRefusal? Refusal)> ReadAsync(
        HttpRequest request, int largest, RequestBudget budget, CancellationToken stop)
    {
        if (request.ContentLength > largest) return (null, IntakeRefusal.TooLarge);
        var body = new PooledBody();
        try
        {
            if (await RequestBody.OpenAsync(request, budget, stop) is not { } open) return Refuse(IntakeRefusal.NoRoom);
            var wanted = (int)Math.Min(request.ContentLength + 1 ?? FirstBuffer, FirstBuffer);
            await using (open)
                while (true)
                {
                    if (!budget.TryTake(wanted - body.Capacity)) return Refuse(IntakeRefusal.NoRoom);
                    body.Grow(wanted);
                    while (body.Length < body.Capacity)
                    {
                        var read = await open.ReadAsync(body.Free, body.Length, stop);
                        if (read == 0) return (body, null);
                        body.Length += read;
                    }
                    if (body.Length > largest) return Refuse(IntakeRefusal.TooLarge);
                    wanted = Math.Min(body.Capacity * 2, largest + 1);
                }
        }
        catch (Exception failure)
        {
            body.Dispose();
            if (RequestBody.FaultOf(failure) is not { } fault) throw;
            return (null, IntakeRefusal.InvalidBody(fault));
        }

        (PooledBody?, IntakeRefusal?) Refuse(IntakeRefusal refusal)
        {
            body.Dispose();
            return (null, refusal);
        }
    }

    public void Grow(int capacity)
    {
        var larger = ArrayPool<byte>.Shared.Rent(capacity);
        _buffer.AsSpan(0, Length).CopyTo(larger);
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
        Capacity = capacity;
    }

    public void Dispose()
    {
        if (_buffer.Length > 0) ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }
}
