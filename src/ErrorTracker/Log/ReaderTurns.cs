using ErrorTracker.Limits;

namespace ErrorTracker.Log;

/// <summary>No turn came within the time that a reader waits: too many are at work.</summary>
internal sealed class TooManyReadersException() : Exception("Too many statistics and lists are being read.");

/// <summary>
/// Who may read now. Each application may have as many readers at work as are left free for others (see
/// <see cref="FairShare"/>): alone it has half. Some more wait for a second, in the order in which they came.
/// </summary>
/// <param name="most">Readers at work at once.</param>
internal sealed class ReaderTurns(int most)
{
    /// <summary>No application has this id: it stands for readers of what belongs to none.</summary>
    public const int Nobody = 0;

    private const int MostWaiting = 64;

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly FairShare _share = new(most);
    private readonly LinkedList<(int Application, TaskCompletionSource Granted)> _waiting = [];

    /// <returns>To be disposed of when the reader has read.</returns>
    /// <exception cref="TooManyReadersException">After a second at most.</exception>
    public async ValueTask<IDisposable> TakeAsync(int application, CancellationToken stop)
    {
        LinkedListNode<(int, TaskCompletionSource Granted)>? place = null;
        lock (_waiting)
            if (!_share.TryTake(application, 1))
            {
                if (_waiting.Count >= MostWaiting) throw new TooManyReadersException();
                place = _waiting.AddLast((application, new(TaskCreationOptions.RunContinuationsAsynchronously)));
            }
        if (place is not null) await WaitAsync(place, application, stop);
        return new Turn(this, application);
    }

    private async Task WaitAsync(
        LinkedListNode<(int, TaskCompletionSource Granted)> place, int application, CancellationToken stop)
    {
        try
        {
            await place.Value.Granted.Task.WaitAsync(LongestWait, stop);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            GiveUp(place, application);
            if (e is TimeoutException) throw new TooManyReadersException();
            throw;
        }
    }

    private void GiveUp(LinkedListNode<(int, TaskCompletionSource Granted)> place, int application)
    {
        bool isWaiting;
        lock (_waiting)
        {
            isWaiting = place.List is not null;
            if (isWaiting) _waiting.Remove(place);
        }
        if (!isWaiting) Return(application); // the turn was granted meanwhile
    }

    private void Return(int application)
    {
        lock (_waiting)
        {
            _share.Return(application, 1);
            for (var place = _waiting.First; place is not null;)
            {
                var next = place.Next;
                var (waiting, granted) = place.Value;
                if (_share.TryTake(waiting, 1))
                {
                    _waiting.Remove(place);
                    granted.SetResult();
                }
                place = next;
            }
        }
    }

    private sealed class Turn(ReaderTurns turns, int application) : IDisposable
    {
        private int _isReturned;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isReturned, 1) == 0) turns.Return(application);
        }
    }
}
