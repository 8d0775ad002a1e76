using ErrorTracker.Intake;
using ErrorTracker.Limits;

namespace ErrorTracker.Tests.Intake;

public sealed class RequestBudgetTests
{
    [Fact]
    public void what_was_taken_before_the_application_was_known_moves_to_it()
    {
        var share = new FairShare(100);
        using (var room = new RequestBudget(share, new ParseSlots(2), RequestBudget.Nobody))
        {
            Assert.True(room.TryTake(20));
            Assert.True(room.TryMoveTo(7));
            Assert.True(room.TryTake(20));
            Assert.Equal(40, share.Taken);
            Assert.False(share.TryTake(7, 20));
            Assert.True(share.TryTake(RequestBudget.Nobody, 20));
            share.Return(RequestBudget.Nobody, 20);
        }
        Assert.Equal(0, share.Taken);
    }

    [Fact]
    public async Task a_turn_ends_when_it_was_long_or_is_left()
    {
        const int Mebibyte = 1024 * 1024;
        var (share, slots) = (new FairShare(100), new ParseSlots(2));
        using var first = new RequestBudget(share, slots, 7);
        using var second = new RequestBudget(share, slots, 7);
        await first.TakeTurnAsync(Mebibyte, CancellationToken.None);
        var waiting = second.TakeTurnAsync(Mebibyte, CancellationToken.None).AsTask();
        Assert.True(first.TakeTurnAsync(2 * Mebibyte - 1, CancellationToken.None).IsCompleted);
        Assert.False(waiting.IsCompleted);

        var next = first.TakeTurnAsync(2 * Mebibyte, CancellationToken.None).AsTask();
        await waiting.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.False(next.IsCompleted);
        Assert.True(second.TakeTurnAsync(ParseSlots.LargestSmall, CancellationToken.None).IsCompleted);
        second.LeaveTurn();
        await next.WaitAsync(TimeSpan.FromSeconds(30));
    }
}
