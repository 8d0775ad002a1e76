using ErrorTracker.Counters;

namespace ErrorTracker.Issues;

/// <summary>
/// A preview of other rules, their adoption or their withdrawal, as far as it has come: a Marten document, so that one
/// which was cut off goes on where it was, on whichever node. Its members' names are data.
/// </summary>
public sealed record GroupingChange(Guid Id, int ApplicationId, string Kind, string Rules, string By, DateTimeOffset CreatedAt)
{
    public const string Preview = "preview", Adoption = "adoption", Withdrawal = "withdrawal";

    public const string Waiting = "waiting", Counting = "counting", Building = "building", Done = "done", Failed = "failed";

    /// <summary>Only events received then or later are previewed; null: all.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Only events received before then are previewed; null: all.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>One of the constants above.</summary>
    public string State { get; set; } = Waiting;

    /// <summary>The grouping that served when it began.</summary>
    public int Serving { get; set; }

    /// <summary>The grouping that comes to serve; 0 for a preview, and for a withdrawal to the built-in rule.</summary>
    public int Grouping { get; set; }

    /// <summary>The place of the log up to which events are counted before rules are adopted.</summary>
    public long Through { get; set; }

    /// <summary>How far the log is counted.</summary>
    public long Counted { get; set; }

    /// <summary>How events move.</summary>
    public List<KeyPair> Pairs { get; set; } = [];

    /// <summary>Why it failed.</summary>
    public string? Fault { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public bool IsOpen => State is not (Done or Failed);
}
