using ErrorTracker.Commit;
using Npgsql;

namespace ErrorTracker.Tests.Commit;

public sealed class CommitRetryTests
{
    private static readonly TimeSpan
        Soon = TimeSpan.FromSeconds(1), Late = TimeSpan.FromSeconds(6), VeryLate = TimeSpan.FromSeconds(61);

    [Theory]
    [InlineData(null, NextStep.RetryAfterPause)] // no answer
    [InlineData(PostgresErrorCodes.AdminShutdown, NextStep.RetryAfterPause)]
    [InlineData(PostgresErrorCodes.LockNotAvailable, NextStep.RetryAfterPause)]
    [InlineData(PostgresErrorCodes.UniqueViolation, NextStep.RetryAtOnce)]
    [InlineData(PostgresErrorCodes.DeadlockDetected, NextStep.RetryAtOnce)]
    [InlineData(PostgresErrorCodes.NumericValueOutOfRange, NextStep.Split)]
    [InlineData(PostgresErrorCodes.RaiseException, NextStep.Split)]
    public void the_servers_answer_decides_at_first(string? state, object next) =>
        Assert.Equal(next, CommitRetry.After(Failed(state) with { Elapsed = Soon }));

    /// <summary>A server that refuses the connection says nothing of the events.</summary>
    [Fact]
    public void what_ends_the_session_is_tried_again_whatever_its_state() =>
        Assert.Equal(NextStep.RetryAfterPause, CommitRetry.After(Failed(PostgresErrorCodes.InvalidPassword, "FATAL")));

    [Theory]
    [InlineData(null, NextStep.GiveUp)]
    [InlineData(PostgresErrorCodes.AdminShutdown, NextStep.SplitOnSuspicion)]
    [InlineData(PostgresErrorCodes.UniqueViolation, NextStep.SplitOnSuspicion)]
    public void after_a_time_or_many_attempts_a_refusal_is_sought_in_one_event(string? state, object next)
    {
        Assert.Equal(next, CommitRetry.After(Failed(state) with { Elapsed = Late }));
        Assert.Equal(next, CommitRetry.After(Failed(state) with { Attempt = CommitRetry.MostAttempts }));
        Assert.Equal(NextStep.GiveUp, CommitRetry.After(Failed(state) with { Elapsed = Late, Events = 1 }));
    }

    [Fact]
    public void a_commit_in_doubt_is_tried_for_a_minute_and_then_given_up_whole()
    {
        var failed = Failed(PostgresErrorCodes.AdminShutdown) with { IsInDoubt = true };
        Assert.Equal(NextStep.RetryAfterPause, CommitRetry.After(failed with { Elapsed = Late }));
        Assert.Equal(NextStep.GiveUp, CommitRetry.After(failed with { Elapsed = VeryLate }));
    }

    [Fact]
    public void a_part_of_a_suspected_group_is_tried_once_and_split_for_some_seconds()
    {
        var failed = Failed(PostgresErrorCodes.LockNotAvailable) with { Elapsed = TimeSpan.FromMilliseconds(1) };
        Assert.Equal(NextStep.SplitOnSuspicion, CommitRetry.After(failed with { SuspectedFor = Soon }));
        Assert.Equal(NextStep.GiveUp, CommitRetry.After(failed with { SuspectedFor = Late }));
    }

    [Fact]
    public void pauses_double_up_to_half_a_second() => Assert.Equal(
        [40, 80, 160, 320, 500, 500],
        Enumerable.Range(1, 6).Select(attempt => CommitRetry.PauseAfter(attempt).TotalMilliseconds));

    private static FailedCommit Failed(string? state, string severity = "ERROR") => new(
        Events: 500, Attempt: 1, TimeSpan.Zero, IsInDoubt: false, SuspectedFor: null,
        state is null ? null : new PostgresException("", severity, severity, state));
}
