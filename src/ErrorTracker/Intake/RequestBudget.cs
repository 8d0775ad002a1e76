using ErrorTracker.Limits;

namespace ErrorTracker.Intake;

/// <summary>
/// What one request has taken of the memory for bodies and waiting events, and its turn on the CPU while it inflates
/// and parses a large body. Disposing of it, when the request is answered, gives all back. Not thread-safe.
/// </summary>
internal sealed class RequestBudget(FairShare memory, ParseSlots slots, int application) : IDisposable
{
    /// <summary>No application has this id: it stands for requests whose application is not known yet.</summary>
    public const int Nobody = 0;

    /// <summary>Bytes of a body after which its turn is over, if others wait.</summary>
    private const int LongestTurn = 1024 * 1024;

    private int _application = application;
    private long _taken, _turnBegan;
    private ParseSlot? _slot;

    public bool TryTake(long bytes)
    {
        if (!memory.TryTake(_application, bytes)) return false;
        _taken += bytes;
        return true;
    }

    public void Return(long bytes)
    {
        memory.Return(_application, bytes);
        _taken -= bytes;
    }

    /// <summary>
    /// Charges the application with all that was taken before it was known. False, and all given back, if its share is
    /// too small for that.
    /// </summary>
    public bool TryMoveTo(int application)
    {
        LeaveTurn();
        var taken = _taken;
        if (taken > 0) Return(taken);
        _application = application;
        return taken == 0 || TryTake(taken);
    }

    /// <summary>
    /// Completes when it is this request's turn to inflate or parse: at once for a small body, and as long as its turn
    /// lasts. The request leaves its turn before it waits for anything.
    /// </summary>
    /// <param name="size">Bytes of the body so far, inflated.</param>
    /// <param name="stop">Ends the wait.</param>
    public ValueTask TakeTurnAsync(long size, CancellationToken stop)
    {
        var isSmall = size <= ParseSlots.LargestSmall;
        var isInTurn = _slot is not null && size - _turnBegan < LongestTurn;
        return isSmall || isInTurn ? default : BeginTurnAsync(size, stop);
    }

    private async ValueTask BeginTurnAsync(long size, CancellationToken stop)
    {
        LeaveTurn();
        _slot = await slots.TakeAsync(_application, stop);
        _turnBegan = size;
    }

    public void LeaveTurn()
    {
        _slot?.Dispose();
        _slot = null;
    }

    public void Dispose()
    {
        LeaveTurn();
        if (_taken > 0) Return(_taken);
    }
}
