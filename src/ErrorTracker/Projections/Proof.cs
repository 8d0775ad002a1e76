using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// How the tables of a projection are proved: the log is recounted, and what the tables hold is compared with that.
/// None of it may use the expressions of the fold, whose faults it would repeat.
/// </summary>
/// <param name="Recount">
/// A query of the log, whose answer becomes the temporary table <c>recount</c>. It has a column <c>n</c>, the number of
/// events that a row stands for, and heeds three parameters: <c>@folded</c>, the sequence number up to which the log is
/// folded, and the window of time from <c>@since</c> to before <c>@until</c>, each of which may be null.
/// </param>
/// <param name="Comparisons">Run one after another in one snapshot.</param>
public sealed record Proof(string Recount, IReadOnlyList<Comparison> Comparisons)
{
    /// <summary>
    /// What SQL cannot recount: a step before it, in the same snapshot. It may make temporary tables that are dropped
    /// on commit.
    /// </summary>
    public Func<NpgsqlConnection, RecountedRange, CancellationToken, Task>? Before { get; init; }
}

/// <summary>Which events are recounted.</summary>
/// <param name="Folded">The sequence number up to which the log is folded.</param>
/// <param name="Since">Start of the window; null: of the log.</param>
/// <param name="Until">End of the window, not part of it; null: of the log.</param>
public sealed record RecountedRange(long Folded, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>
/// A query that answers every counter twice, as the tables have it and as <c>recount</c> has it. Its columns are
/// <c>tenant_id</c>, <c>bucket</c> (a time), <c>subject</c> (what else tells the counter apart, as text),
/// <c>counted</c>, <c>recounted</c> and <c>agrees</c>.
/// </summary>
/// <param name="Step">How differences are labelled.</param>
/// <param name="Sql">May use the parameters of <see cref="Proof.Recount"/>.</param>
/// <param name="Bucket">
/// The length of each bucket: those that do not lie in the window as a whole are left out. Null: all are compared.
/// </param>
public sealed record Comparison(string Step, string Sql, TimeSpan? Bucket);
