using ErrorTracker.Http;

namespace ErrorTracker.Issues;

/// <summary>How a list of issues is sorted: the largest value first, and of equal ones the highest number.</summary>
/// <param name="Name">As the API spells it; also the column of the counters.</param>
public sealed record IssueSort(string Name)
{
    public static readonly IssueSort
        LastSeen = new("last_seen"),
        FirstSeen = new("first_seen"),
        Count = new("count");

    public static readonly IssueSort[] All = [LastSeen, FirstSeen, Count];

    /// <summary>The last seen first if absent; what is no order is named in <paramref name="errors"/>.</summary>
    public static IssueSort Optional(string? text, Dictionary<string, string[]> errors)
    {
        if (text is null) return LastSeen;
        if (Array.Find(All, sort => sort.Name == text) is { } found) return found;
        errors.AddFault("sort", $"must be {string.Join(", ", All.Select(sort => sort.Name))}");
        return LastSeen;
    }
}
