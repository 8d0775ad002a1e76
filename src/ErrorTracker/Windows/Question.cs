using ErrorTracker.Counters;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// What a statistic is asked about: an application, a window, how it may be cut into buckets, and what else it filters
/// by.
/// </summary>
/// <param name="Cut">Cuts a window into runs of whole buckets and ragged ends; in ascending order of time.</param>
/// <param name="Level">Canonical; null for all.</param>
/// <param name="More">Named parameters of the one query.</param>
internal sealed record Question(
    int ApplicationId, Window Window, Func<Window, IEnumerable<Cut>> Cut, string? Level = null,
    params (string Name, object Value)[] More)
{
    public Question(int applicationId, Window window, Step[] ladder, string? level = null,
        params (string Name, object Value)[] more)
        : this(applicationId, window, whole => [whole.Cut(ladder)], level, more)
    {
    }

    /// <summary>The groups of one issue, for <see cref="Scope.OneIssue"/>; null: of all.</summary>
    public IssueGroups? Issue { get; init; }

    /// <summary>The parameters are those that the parts of <see cref="WindowSql"/> name, and the query's own.</summary>
    public NpgsqlCommand Ask(string sql, Marks marks, Tail? tail = null)
    {
        var cuts = Cut(Window.Beyond(marks.Newest)).ToList();
        var runs = RunsOf(cuts, marks);
        var whole = Join(runs.Select(run => run.Run));
        var ragged = cuts.SelectMany(cut => cut.Ragged).ToList();
        var command = new NpgsqlCommand(sql)
        {
            Parameters =
            {
                new("tenant", TenantId.Of(ApplicationId)),
                new("level", (object?)Level ?? DBNull.Value),
                new("since", Window.Since),
                new("until", Window.Until),
                new("folded", marks.Folded),
                new("grouping", marks.Grouping),
                new("numbers", Issue?.Numbers ?? []),
                new("keys", Issue?.Keys ?? []),
                new("steps", runs.Select(run => run.Step.Code).ToArray()),
                new("run_since", Starts(runs.Select(run => run.Run))),
                new("run_until", Ends(runs.Select(run => run.Run))),
                new("whole_since", Starts(whole)),
                new("whole_until", Ends(whole)),
                new("ragged_since", Starts(ragged)),
                new("ragged_until", Ends(ragged)),
            },
        };
        (tail ?? Tail.None).AddTo(command.Parameters);
        foreach (var (name, value) in More) command.Parameters.AddWithValue(name, value);
        return command;
    }

    /// <summary>Counters whose progress was lost are void, and about to be counted anew: then all is tail.</summary>
    private static List<(Step Step, Window Run)> RunsOf(List<Cut> cuts, Marks marks) =>
        marks.Folded == 0 ? [] : [.. cuts.SelectMany(cut => cut.Buckets)];

    private static DateTimeOffset[] Starts(IEnumerable<Window> windows) => [.. windows.Select(window => window.Since)];

    private static DateTimeOffset[] Ends(IEnumerable<Window> windows) => [.. windows.Select(window => window.Until)];

    /// <summary>Windows that meet, as one; in ascending order as they come.</summary>
    private static List<Window> Join(IEnumerable<Window> windows)
    {
        var joined = new List<Window>();
        foreach (var window in windows)
        {
            var meets = joined.Count > 0 && joined[^1].Until == window.Since;
            if (meets) joined[^1] = joined[^1] with { Until = window.Until };
            else joined.Add(window);
        }
        return joined;
    }
}
