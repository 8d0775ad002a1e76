using ErrorTracker.Limits;

namespace ErrorTracker.Intake;

/// <summary>
/// What one request takes of the memory that bodies and waiting events may use, and of the CPU for large bodies. To be disposed
/// of when the request is answered: all is given back. Not for two threads at once.
/// </summary>
internal sealed class Room(FairShare share, ParseSlots slots, int application) : IDisposable
{
    /// <summary>No application has this id: whose request it is, is not known yet.</summary>
    public const int Nobody = 0;

    /// <summary>Bytes of a body after which its turn is over, if others wait.</summary>
    private const int LongestTurn = 1024 * 1024;

    private int _application = application;
    private long _taken, _turnBegan;
    private ParseSlot? _slot;

    public bool TryTake(long amount)
    {
        if (!share.TryTake(_application, amount)) return false;
        _taken += amount;
        return true;
    }

    public void Return(long amount)
    {
        share.Return(_application, amount);
        _taken -= amount;
    }

    /// <summary>
    /// From now on it is this application's; false, and all given back, if that has no share left for what was taken.
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
    /// Completes when it is this request's turn to inflate or parse: at once for a small body, and while its turn lasts. The turn
    /// is to be left before the request waits for anything.
    /// </summary>
    /// <param name="size">Bytes of the body so far, inflated.</param>
    public ValueTask TakeTurnAsync(long size, CancellationToken stop) =>
        size <= ParseSlots.LargestSmall || _slot is not null && size - _turnBegan < LongestTurn ? default : BeginTurnAsync(size, stop);

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
