namespace ErrorTracker.Issues;

/// <summary>Who gives a command, when, and what they know.</summary>
/// <param name="Actor">Who; see <see cref="Issues.Actor"/>.</param>
/// <param name="At">UTC.</param>
/// <param name="Command">The sender's id of it, by which it can be repeated; null if it gave none.</param>
/// <param name="SeenThrough">The place of the log up to which they have seen; null if they do not say.</param>
public sealed record Stamp(string Actor, DateTimeOffset At, Guid? Command = null, long? SeenThrough = null);

/// <summary>Make these issues parts of another one.</summary>
/// <param name="Issues">Each once, and none of them <paramref name="Into"/>.</param>
public sealed record MergeCommand(int Into, IReadOnlyList<int> Issues, Stamp Stamp);

/// <summary>Let these groups leave their issue.</summary>
/// <param name="Leaving">The numbers of groups by their keys; at least one.</param>
public sealed record SplitCommand(int Issue, IReadOnlyDictionary<string, int> Leaving, Stamp Stamp);

/// <summary>What a command comes to: an event, or why there is none.</summary>
public sealed record Decision<T>(T? Event, DecisionRefusal? Refusal)
    where T : class, IDecision
{
    public static implicit operator Decision<T>(T decided) => new(decided, null);

    public static implicit operator Decision<T>(DecisionRefusal refusal) => new(null, refusal);
}

/// <summary>Why a command is refused.</summary>
/// <param name="Reason">For people.</param>
/// <param name="Field">What of the request is wrong; null if it was right once, and is no longer.</param>
public sealed record DecisionRefusal(string Reason, string? Field = null)
{
    public static readonly DecisionRefusal
        OneKey = new("must not be given: the issue has one key only, and nothing to split off", "keys"),
        AllKeys = new("must not be all keys of the issue: at least one stays", "keys"),
        Outrun = new("Somebody has decided about these issues at the same moment: read them again and repeat."),
        OtherCommand = new("This id was sent before with another command.");

    /// <param name="number">Of a former issue.</param>
    /// <param name="issue">That it is in.</param>
    public static DecisionRefusal OfFormer(int number, int issue) =>
        new($"Issue {number} is part of issue {issue}: read it again, and decide about that one or split it first.");

    public static DecisionRefusal OfKey(string key, int issue) =>
        new($"'{key}' is no key of issue {issue}", "keys");
}
