using System.Text.Json.Nodes;
using ErrorTracker.Events;
using ErrorTracker.Intake.Native;
using ErrorTracker.Issues;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;
using ErrorTracker.Projections;
using ErrorTracker.Statistics;
using Microsoft.OpenApi;

namespace ErrorTracker.Hosting;

/// <summary>
/// Texts that are one of a closed list: each list is a schema of its own, by which generators make one enum. What
/// senders name in their own words, such as the reasons of SDKs, is no list.
/// </summary>
internal sealed record ContractLists(string Name, string Description, IReadOnlyList<string> Values)
{
    /// <summary>Those that are counted for an application: whose key is missing or wrong is nobody's.</summary>
    private static readonly Reason[] Reasons =
    [
        Reason.Invalid, Reason.Conflicting, Reason.TooLarge, Reason.MediaType,
        Reason.TooSlow, Reason.RateLimited, Reason.OverQuota,
        Reason.NoRoomOrDatabase, Reason.Other,
    ];

    public static readonly ContractLists
        Level = new(
            "Level",
            "How severe an error is. Where a level is sent, or filtered by, the server understands other names and "
                + "spellings of it too, and the numbers of Python's logging. It answers these.",
            Levels.All),
        Interval = new("Interval", "The size of a bucket. Any case is understood.", ["MINUTE", "HOUR", "DAY"]),
        State = new("ProjectionState", "How a projection is doing.",
            ["caught up", "catching up", "waiting", "rebuilding", "interrupted", "failing", "stopped"]),
        Refusal = new("RefusalReason", "Why an event was not stored.",
            [.. Reasons.Select(reason => reason.Stored)]),
        Category = new("UnkeptCategory", "What Sentry's SDKs send beside errors.",
            ["transaction", "span", "session", "attachment", "profile", "profile_chunk", "replay", "monitor",
                "metric_bucket", "trace_metric", "log_item", "feedback", "user_report", "security", "client_report",
                "unknown"]),
        AskedIssues = new("IssueStateFilter", "Which issues are listed.", IssueState.Asked),
        IssueOrder = new(
            "IssueSort",
            "By what issues are listed: the largest value first, and of equal ones the highest number.",
            [.. IssueSort.All.Select(sort => sort.Name)]);

    private static readonly ContractLists
        StateOfIssue = new("IssueState", "What has been decided about an issue.", IssueState.All),
        Decision = new("DecisionType", "What was decided.", [DecisionItem.Merged, DecisionItem.Split]),
        KindOfChange = new(
            "GroupingChangeKind", "What is done with rules.",
            [GroupingChange.Preview, GroupingChange.Adoption, GroupingChange.Withdrawal]),
        StateOfChange = new(
            "GroupingChangeProgress", "How far it is.",
            [
                GroupingChange.Waiting, GroupingChange.Counting, GroupingChange.Building, GroupingChange.Done,
                GroupingChange.Failed,
            ]);

    /// <summary>Which member of which type is one of which list.</summary>
    public static readonly Dictionary<(Type Type, string Member), ContractLists> OfMembers = new()
    {
        [(typeof(SentEvent), "level")] = Level,
        [(typeof(EventItem), "level")] = Level,
        [(typeof(LevelCount), "level")] = Level,
        [(typeof(Series), "interval")] = Interval,
        [(typeof(ProjectionStatus), "state")] = State,
        [(typeof(RefusedCount), "reason")] = Refusal,
        [(typeof(NotKeptCount), "category")] = Category,
        [(typeof(IssueItem), "level")] = Level,
        [(typeof(IssueItem), "state")] = StateOfIssue,
        [(typeof(IssueDetails), "level")] = Level,
        [(typeof(IssueDetails), "state")] = StateOfIssue,
        [(typeof(IssueDetails), "interval")] = Interval,
        [(typeof(DecisionItem), "type")] = Decision,
        [(typeof(GroupingChangeState), "kind")] = KindOfChange,
        [(typeof(GroupingChangeState), "state")] = StateOfChange,
    };

    /// <summary>A reference to the list's schema, which is added to the document where it is not there yet.</summary>
    public IOpenApiSchema In(IDictionary<string, IOpenApiSchema> schemas)
    {
        schemas.TryAdd(Name, new OpenApiSchema
        {
            Type = JsonSchemaType.String,
            Description = Description,
            Enum = [.. Values.Select(value => JsonValue.Create(value))],
        });
        return new OpenApiSchemaReference(Name);
    }
}
