using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Commit;

/// <summary>What is done with a group after its commit has failed.</summary>
internal enum NextStep
{
    /// <summary>Another transaction was in the way, and is over now.</summary>
    RetryAtOnce,

    RetryAfterPause,

    /// <summary>The server refuses something in the group for good: each half is committed for itself.</summary>
    Split,

    /// <summary>The refusal should have passed by now, and may lie in one event: each half is tried once.</summary>
    SplitOnSuspicion,

    /// <summary>Its events are answered with the failure.</summary>
    GiveUp,
}

/// <param name="Events">Of the group.</param>
/// <param name="Attempt">1 for the first.</param>
/// <param name="Elapsed">Since the first attempt began.</param>
/// <param name="IsInDoubt">One of the attempts was sent and not answered.</param>
/// <param name="SuspectedFor">
/// How long ago the group that it was a part of was split on suspicion; null if it was not.
/// </param>
/// <param name="Refusal">What PostgreSQL answered; null if it did not answer.</param>
internal readonly record struct FailedCommit(
    int Events, int Attempt, TimeSpan Elapsed, bool IsInDoubt, TimeSpan? SuspectedFor, PostgresException? Refusal);

/// <summary>Decides what follows a failed commit. It does nothing itself.</summary>
internal static class CommitRetry
{
    public const int MostAttempts = 100;

    /// <summary>So long a commit is tried that is known not to be stored.</summary>
    public static readonly TimeSpan CommitTimeout = TimeSpan.FromSeconds(5);

    /// <summary>So long nobody is told anything of a commit of which nobody knows whether it is stored.</summary>
    public static readonly TimeSpan InDoubtTimeout = TimeSpan.FromMinutes(1);

    /// <summary>
    /// So long the parts of a suspected group are split further: each may be refused only after a time, such as that of
    /// a lock.
    /// </summary>
    public static readonly TimeSpan SuspicionTimeout = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    public static NextStep After(FailedCommit failed)
    {
        if (IsPermanent(failed.Refusal)) return NextStep.Split;
        if (failed.Attempt >= MostAttempts || failed.Elapsed > TimeoutOf(failed))
            return MayLieInOneEvent(failed) ? NextStep.SplitOnSuspicion : NextStep.GiveUp;
        return failed.Refusal?.SqlState is PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.DeadlockDetected
            ? NextStep.RetryAtOnce
            : NextStep.RetryAfterPause;
    }

    public static TimeSpan PauseAfter(int attempt)
    {
        var doubled = TimeSpan.FromMilliseconds(20 << Math.Min(attempt, 10));
        return doubled < LongestPause ? doubled : LongestPause;
    }

    private static TimeSpan TimeoutOf(FailedCommit failed) => failed switch
    {
        { IsInDoubt: true } => InDoubtTimeout,
        { SuspectedFor: not null } => TimeSpan.Zero,
        _ => CommitTimeout,
    };

    /// <summary>
    /// The server refuses what is sent, and would again. A connection that it refuses is no matter of the events, and
    /// an id that is taken is answered as stored.
    /// </summary>
    private static bool IsPermanent(PostgresException? refusal) =>
        refusal is { Severity: "ERROR", SqlState: not PostgresErrorCodes.UniqueViolation }
        && !DatabaseAway.IsPassing(refusal);

    /// <summary>A refusal that is said to pass, and has not: a trigger may raise any SQLSTATE for one event.</summary>
    private static bool MayLieInOneEvent(FailedCommit failed) =>
        failed is { Events: > 1, IsInDoubt: false, Refusal.Severity: "ERROR" }
        && (failed.SuspectedFor is not { } time || time < SuspicionTimeout);
}
