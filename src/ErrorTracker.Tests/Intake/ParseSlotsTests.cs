using ErrorTracker.Intake;

namespace ErrorTracker.Tests.Intake;

public sealed class ParseSlotsTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(8, 4)]
    public async Task an_application_has_half_of_the_cores_and_the_others_wait_in_order(int cores, int most)
    {
        var slots = new ParseSlots(cores);
        var taken = Enumerable.Range(0, most + 3).Select(_ => slots.TakeAsync(1, Never).AsTask()).ToList();
        Assert.Equal(most, taken.Count(slot => slot.IsCompleted));
        for (var next = most; next < taken.Count; next++)
        {
            (await taken[next - most]).Dispose();
            await taken[next].WaitAsync(TimeSpan.FromSeconds(30));
            Assert.All(taken.Skip(next + 1), slot => Assert.False(slot.IsCompleted));
        }
    }

    [Fact]
    public async Task another_application_need_not_wait_for_the_lines_of_the_first()
    {
        var slots = new ParseSlots(2);
        using var taken = await slots.TakeAsync(1, Never);
        var waiting = slots.TakeAsync(1, Never);
        Assert.False(waiting.IsCompleted);
        var other = slots.TakeAsync(2, Never);
        Assert.True(other.IsCompleted);
        (await other).Dispose();
        Assert.False(waiting.IsCompleted);
    }

    [Fact]
    public async Task applications_take_turns()
    {
        var slots = new ParseSlots(2);
        var (first, second) = (await slots.TakeAsync(1, Never), await slots.TakeAsync(2, Never));
        var ones = Enumerable.Range(0, 5).Select(_ => slots.TakeAsync(1, Never).AsTask()).ToList();
        var third = slots.TakeAsync(3, Never).AsTask();
        second.Dispose();
        using var slot = await third.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.All(ones, one => Assert.False(one.IsCompleted));
        first.Dispose();
        (await ones[0].WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
    }

    [Fact]
    public async Task who_gives_up_waiting_leaves_the_line()
    {
        var slots = new ParseSlots(2);
        using var stop = new CancellationTokenSource();
        var taken = await slots.TakeAsync(1, Never);
        var (gone, patient) = (slots.TakeAsync(1, stop.Token).AsTask(), slots.TakeAsync(1, Never).AsTask());
        await stop.CancelAsync();
        await Assert.ThrowsAsync<TaskCanceledException>(() => gone);
        taken.Dispose();
        (await patient.WaitAsync(TimeSpan.FromSeconds(30))).Dispose();
        (await slots.TakeAsync(1, Never)).Dispose();
    }

    /// <summary>Whoever comes and goes: never more than may, and in the end all have had their turn.</summary>
    [Fact]
    public async Task however_many_come_no_more_run_than_may_and_all_do()
    {
        var (slots, running, most, done) = (new ParseSlots(4), new int[8], 0, 0);
        await Task.WhenAll(Enumerable.Range(0, 2_000).Select(i => Task.Run(async () =>
        {
            var application = i % running.Length;
            using (await slots.TakeAsync(application, Never))
            {
                Assert.InRange(Interlocked.Increment(ref running[application]), 1, 2);
                lock (slots) most = Math.Max(most, running.Sum());
                if (i % 3 == 0) await Task.Yield();
                Interlocked.Decrement(ref running[application]);
            }
            Interlocked.Increment(ref done);
        })));
        Assert.Equal(2_000, done);
        Assert.InRange(most, 1, 4);
    }
}
