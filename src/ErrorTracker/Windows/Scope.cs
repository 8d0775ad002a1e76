using ErrorTracker.Counters;
using ErrorTracker.Grouping;

namespace ErrorTracker.Windows;

/// <summary>Which of an application's events a statistic counts, as conditions of its SQL.</summary>
internal sealed class Scope
{
    /// <summary>All, from tables that know no groups.</summary>
    public static readonly Scope All = new();

    /// <summary>All, from tables whose rows have a group.</summary>
    public static readonly Scope AllGroups = new() { IsGrouped = true };

    /// <summary>Those of one issue, which the question names.</summary>
    public static readonly Scope OneIssue = new() { IsGrouped = true, IsOneIssue = true };

    private bool IsGrouped { get; init; }

    public bool IsOneIssue { get; private init; }

    /// <summary>Narrows rows of the log, called log.</summary>
    public string Loose => IsOneIssue ? $"and {KeyOfLog} = any(@keys)" : "";

    /// <summary>
    /// The group key of a row of the log, called log: as a fold has made it anew; or, in the tail, as the snapshot has;
    /// else as it is stored.
    /// </summary>
    public static readonly string KeyOfLog = FactOfLog("group_key", EventFacts.KeyMember);

    public static readonly string ReleaseOfLog = FactOfLog("release", EventFacts.ReleaseMember);

    public static readonly string EnvironmentOfLog =
        FactOfLog("environment", EventFacts.EnvironmentMember);

    /// <summary>
    /// Joined before rows of the counters are looked up: each group of the issue, called own. A list of numbers would
    /// leave it to the planner whether the index finds them, and without statistics it reads the rows of all groups.
    /// </summary>
    public string Groups => IsOneIssue ? "cross join unnest(@numbers) as own(number)" : "";

    /// <summary>Narrows rows of the counters.</summary>
    public string Counted(string row)
    {
        if (!IsGrouped) return "";
        var grouping = $"and {row}.grouping = @grouping";
        return IsOneIssue ? $"{grouping} and {row}.number = own.number" : grouping;
    }

    private static string FactOfLog(string column, string member) =>
        $"""
        coalesce(
          (select k.{column} from {CounterTables.Current.EventKeys} as k
           where k.tenant_id = log.tenant_id and k.grouping = @grouping and k.seq_id = log.seq_id),
          @tail_facts -> log.seq_id::text ->> '{member}',
          log.headers->>'{member}', '')
        """;
}
