using ErrorTracker.Commit;
using ErrorTracker.Limits;
using ErrorTracker.Log;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Commit;

public sealed class FairQueueTests
{
    [Fact]
    public void one_application_gets_half_and_there_is_room_for_another()
    {
        var share = new FairShare(100);
        Assert.Equal(50, Enumerable.Range(0, 100).Count(_ => share.TryTake(1, 1)));
        Assert.Equal(25, Enumerable.Range(0, 100).Count(_ => share.TryTake(2, 1)));
        Assert.True(share.TryTake(3, 5));
        share.Return(1, 50);
        Assert.True(share.TryTake(2, 10));
    }

    [Fact]
    public void a_flood_delays_itself_and_not_the_others()
    {
        var queue = new FairQueue();
        while (queue.TryAdd(Event(1, 1_000))) { }
        Assert.True(queue.TryAdd(Event(2, 1_000)));
        var group = queue.Take(500, 1_000_000);
        Assert.InRange(group.FindIndex(pending => pending.ApplicationId == 2), 0, 20);
        Assert.Equal(500, group.Count);
    }

    [Fact]
    public void what_waits_when_it_is_closed_can_be_taken_and_nothing_is_added()
    {
        var queue = new FairQueue();
        queue.TryAdd(Event(1, 1));
        queue.Close();
        Assert.False(queue.TryAdd(Event(1, 1)));
        Assert.Single(queue.Take(10, 10));
    }

    /// <summary>
    /// However events are added and taken: each is taken once, those of an application in order, and the share never
    /// exceeds the room.
    /// </summary>
    [Property(MaxTest = 300)]
    public Property events_are_taken_once_and_in_their_order() => Prop.ForAll(
        Gen.Choose(-3, 5).ListOf().ToArbitrary(), Gen.Choose(1, 40_000).ToArbitrary(), (steps, size) =>
    {
        var (queue, added, taken) = (new FairQueue(), new List<PendingEvent>(), new List<PendingEvent>());
        foreach (var step in steps)
            if (step < 0) taken.AddRange(queue.Take(-step, size * 2));
            else if (Event(step, size) is var next && queue.TryAdd(next)) added.Add(next);
        while (queue.Waiting > 0) taken.AddRange(queue.Take(100, int.MaxValue));
        return taken.Count == added.Count && added.GroupBy(e => e.ApplicationId).All(line =>
            line.SequenceEqual(taken.Where(e => e.ApplicationId == line.Key)));
    });

    private static PendingEvent Event(int application, int size) =>
        new(application, Guid.CreateVersion7(), false, default, new byte[size], EventKinds.ErrorOccurred);
}
