using System.Text.Json.Serialization;
using ErrorTracker.Log;

namespace ErrorTracker.Issues;

/// <summary>
/// What a person has decided, as an event of the stream <see cref="DecisionStream"/>. Its members' names are data.
/// </summary>
public interface IDecision
{
    /// <summary>Who: a name, or <see cref="Actor.Admin"/> or <see cref="Actor.Anonymous"/>.</summary>
    string By { get; }

    /// <summary>When, in UTC.</summary>
    DateTimeOffset At { get; }

    /// <summary>All is so already: it is answered, but not stored.</summary>
    bool IsVoid { get; }

    /// <summary>Whether it was about this number, or a part of what it was about.</summary>
    bool Concerns(int number);
}

/// <summary>Issues became parts of another one.</summary>
/// <param name="Into">The issue that goes on.</param>
/// <param name="Issues">Those that are issues no more, in the order in which they were named.</param>
/// <param name="Already">Those that were named and had been parts of <paramref name="Into"/> before.</param>
/// <param name="By">Who decided.</param>
/// <param name="At">When, in UTC.</param>
/// <param name="Command">The sender's id of the command, if it gave one.</param>
/// <param name="SeenThrough">The place of the log up to which its reader had seen, if it was told.</param>
public sealed record IssuesMerged(
    [property: JsonPropertyName("into")] int Into,
    [property: JsonPropertyName("issues")] IReadOnlyList<int> Issues,
    [property: JsonPropertyName("already")] IReadOnlyList<int> Already,
    [property: JsonPropertyName("by")] string By,
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("command"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    Guid? Command = null,
    [property: JsonPropertyName("seen_through"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    long? SeenThrough = null) : IDecision
{
    [JsonIgnore]
    public bool IsVoid => Issues.Count == 0;

    public bool Concerns(int number) => Into == number || Issues.Contains(number);
}

/// <summary>Some numbers left their issue, and are issues again.</summary>
/// <param name="Issue">That was split.</param>
/// <param name="Rest">What it is called that stayed: another number if that of the issue left.</param>
/// <param name="Parts">What left, by the issue that it is now.</param>
/// <param name="By">Who decided.</param>
/// <param name="At">When, in UTC.</param>
/// <param name="Command">The sender's id of the command, if it gave one.</param>
/// <param name="SeenThrough">The place of the log up to which its reader had seen, if it was told.</param>
public sealed record IssueSplit(
    [property: JsonPropertyName("issue")] int Issue,
    [property: JsonPropertyName("rest")] int Rest,
    [property: JsonPropertyName("parts")] IReadOnlyList<SplitPart> Parts,
    [property: JsonPropertyName("by")] string By,
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("command"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    Guid? Command = null,
    [property: JsonPropertyName("seen_through"), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    long? SeenThrough = null) : IDecision
{
    [JsonIgnore]
    public bool IsVoid => false;

    public bool Concerns(int number) =>
        Issue == number || Rest == number || Parts.Any(part => part.Numbers.Contains(number));
}

/// <summary>Numbers that left an issue together.</summary>
/// <param name="Issue">What they are called now: one of them.</param>
/// <param name="Numbers">In ascending order.</param>
/// <param name="Keys">Of the same groups, in the same order, as they were called then.</param>
public sealed record SplitPart(
    [property: JsonPropertyName("issue")] int Issue,
    [property: JsonPropertyName("numbers")] IReadOnlyList<int> Numbers,
    [property: JsonPropertyName("keys")] IReadOnlyList<string> Keys);

/// <summary>
/// Other rules came to serve: those of the team, or by a withdrawal those that served before. The event holds the whole
/// mapping, so that numbers never depend on when the log was counted.
/// </summary>
/// <param name="Grouping">By which number the rules are known.</param>
/// <param name="Former">Those that served before.</param>
/// <param name="Rules">As JSON.</param>
/// <param name="IsWithdrawal">The rules had served before.</param>
/// <param name="Through">The place of the log up to which its events had been grouped.</param>
/// <param name="LastNumber">The highest number that had been given; new groups get those after it.</param>
/// <param name="Keys">Of all groups.</param>
/// <param name="Numbers">Of the same groups, in the same order.</param>
/// <param name="By">Who decided.</param>
/// <param name="At">When, in UTC.</param>
public sealed record RulesAdopted(
    [property: JsonPropertyName("grouping")] int Grouping,
    [property: JsonPropertyName("former")] int Former,
    [property: JsonPropertyName("rules")] string Rules,
    [property: JsonPropertyName("is_withdrawal")] bool IsWithdrawal,
    [property: JsonPropertyName("through")] long Through,
    [property: JsonPropertyName("last_number")] int LastNumber,
    [property: JsonPropertyName("keys")] IReadOnlyList<string> Keys,
    [property: JsonPropertyName("numbers")] IReadOnlyList<int> Numbers,
    [property: JsonPropertyName("by")] string By,
    [property: JsonPropertyName("at")] DateTimeOffset At) : IDecision
{
    [JsonIgnore]
    public bool IsVoid => false;

    /// <summary>It is about all of them, and a history of one issue would not gain by it.</summary>
    public bool Concerns(int number) => false;
}

/// <summary>
/// The kinds of events that people's decisions are. They never go through the append of errors, so the log's own list
/// does not hold them: no counter counts them, and no list of errors shows them.
/// </summary>
public static class DecisionKinds
{
    public static readonly EventKind IssuesMerged = new(typeof(IssuesMerged))
    {
        StoredType = "issues_merged",
        StoredDotnetType = "ErrorTracker.Issues.IssuesMerged, ErrorTracker",
    };

    public static readonly EventKind IssueSplit = new(typeof(IssueSplit))
    {
        StoredType = "issue_split",
        StoredDotnetType = "ErrorTracker.Issues.IssueSplit, ErrorTracker",
    };

    public static readonly EventKind RulesAdopted = new(typeof(RulesAdopted))
    {
        StoredType = "rules_adopted",
        StoredDotnetType = "ErrorTracker.Issues.RulesAdopted, ErrorTracker",
    };

    public static readonly EventKind[] All = [IssuesMerged, IssueSplit, RulesAdopted];
}
