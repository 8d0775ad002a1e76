using System.Collections.Immutable;
using System.Text.Json.Serialization;
using JasperFx.Events;
using Marten.Events.Aggregation;

namespace ErrorTracker.Issues;

/// <summary>
/// Which numbers of an application are one issue, by what people have decided. Pure: events in, decisions out.
/// </summary>
/// <remarks>
/// Every number is in exactly one issue, and an issue is called by one of its numbers. A number that nobody has merged
/// is an issue of its own, and is not held here. Merged issues are a forest: each former issue points to the one that
/// it was merged into, so that a split can give it back as it was. Marten stores them with each decision, as a document
/// whose members' names are data: to read all former decisions for the next one would take long.
/// </remarks>
public sealed class IssueMerges
{
    public static readonly IssueMerges None = new();

    private readonly Lazy<ILookup<int, int>> _children;

    /// <remarks>Marten takes a constructor with a parameter for one that makes it of an event.</remarks>
    public IssueMerges() => _children = new(() => Parents.ToLookup(link => link.Value, link => link.Key));

    /// <summary>Of the stream; Marten sets it.</summary>
    public Guid Id { get; set; }

    /// <summary>Of each former issue, the one that it was merged into.</summary>
    public ImmutableDictionary<int, int> Parents { get; init; } = [];

    /// <summary>All numbers that are in an issue of another name.</summary>
    [JsonIgnore]
    public IEnumerable<int> Former => Parents.Keys;

    /// <summary>The issue that a number is in.</summary>
    public int IssueOf(int number)
    {
        while (Parents.TryGetValue(number, out var parent)) number = parent;
        return number;
    }

    /// <summary>All numbers of an issue, its own among them, in ascending order.</summary>
    public IReadOnlyList<int> NumbersOf(int issue)
    {
        var found = new List<int> { issue };
        for (var at = 0; at < found.Count; at++)
            found.AddRange(_children.Value[found[at]]);
        found.Sort();
        return found;
    }

    /// <summary>The numbers whose issue may become another one by this.</summary>
    public IReadOnlyList<int> TouchedBy(IDecision decision) => decision switch
    {
        IssuesMerged merged => [.. merged.Issues.SelectMany(NumbersOf)],
        IssueSplit split => NumbersOf(split.Issue),
        _ => [],
    };

    public Decision<IssuesMerged> Decide(MergeCommand command)
    {
        if (NotAnIssue(command.Into) is { } gone) return gone;
        var already = command.Issues.Where(issue => IssueOf(issue) == command.Into).ToList();
        var merged = command.Issues.Except(already).ToList();
        var astray = merged.Select(NotAnIssue).FirstOrDefault(refusal => refusal is not null);
        if (astray is not null) return astray;
        var by = command.Stamp;
        return new IssuesMerged(command.Into, merged, already, by.Actor, by.At, by.Command, by.SeenThrough);
    }

    public Decision<IssueSplit> Decide(SplitCommand command)
    {
        if (NotAnIssue(command.Issue) is { } gone) return gone;
        var keys = command.Leaving;
        var alien = keys.FirstOrDefault(pair => IssueOf(pair.Value) != command.Issue);
        if (alien.Key is not null) return DecisionRefusal.OfKey(alien.Key, command.Issue);
        var numbers = NumbersOf(command.Issue);
        if (numbers.Count == 1) return DecisionRefusal.OneKey;
        if (numbers.Count == keys.Count) return DecisionRefusal.AllKeys;

        var cut = Cut(command.Issue, [.. keys.Values]);
        var after = Linked(cut);
        var keyOf = keys.ToDictionary(pair => pair.Value, pair => pair.Key);
        var parts =
            from number in keys.Values
            group number by after.IssueOf(number) into part
            orderby part.Key
            let inOrder = part.Order().ToList()
            select new SplitPart(part.Key, inOrder, [.. inOrder.Select(number => keyOf[number])]);
        var rest = after.IssueOf(numbers.First(number => !keyOf.ContainsKey(number)));
        var by = command.Stamp;
        return new IssueSplit(command.Issue, rest, [.. parts], by.Actor, by.At, by.Command, by.SeenThrough);
    }

    /// <summary>What a decision makes of them.</summary>
    public IssueMerges After(IDecision decision) => decision switch
    {
        IssuesMerged merged => Linked(merged.Issues.ToDictionary(issue => issue, _ => (int?)merged.Into)),
        IssueSplit split => Linked(Cut(split.Issue, [.. split.Parts.SelectMany(part => part.Numbers)])),
        _ => this,
    };

    /// <summary>
    /// What each number of an issue belongs to when some leave. What leaves falls into the former issues that it was
    /// merged of; what stays remains one issue. On both sides, a number whose former issue is on the other side
    /// belongs to what that one was merged into.
    /// </summary>
    /// <returns>By number; null for an issue.</returns>
    private Dictionary<int, int?> Cut(int issue, HashSet<int> leaving)
    {
        var links = NumbersOf(issue).ToDictionary(number => number, number => ParentOnSideOf(number, leaving));
        var stayingIssues = links.Keys.Where(number => links[number] is null && !leaving.Contains(number)).ToList();

        // The issue's own number has left: the oldest former issue, which has the least number, takes in the others.
        var oldest = stayingIssues.Min();
        foreach (var other in stayingIssues.Where(other => other != oldest)) links[other] = oldest;
        return links;
    }

    private int? ParentOnSideOf(int number, HashSet<int> leaving)
    {
        var isLeaving = leaving.Contains(number);
        var isFormer = Parents.TryGetValue(number, out var above);
        while (isFormer && leaving.Contains(above) != isLeaving) isFormer = Parents.TryGetValue(above, out above);
        return isFormer ? above : null;
    }

    /// <summary>Each of these numbers belongs to this one now, or, with null, is an issue.</summary>
    private IssueMerges Linked(Dictionary<int, int?> links)
    {
        var linked = Parents.ToBuilder();
        foreach (var (number, parent) in links)
            if (parent is { } into) linked[number] = into;
            else linked.Remove(number);
        return new() { Id = Id, Parents = linked.ToImmutable() };
    }

    private DecisionRefusal? NotAnIssue(int number) =>
        Parents.ContainsKey(number) ? DecisionRefusal.OfFormer(number, IssueOf(number)) : null;
}

/// <summary>How Marten makes them of a stream: with each event, in its transaction.</summary>
internal sealed class IssueMergesProjection : SingleStreamProjection<IssueMerges, Guid>
{
    public override IssueMerges? Evolve(IssueMerges? snapshot, Guid id, IEvent e) =>
        e.Data is IDecision decision ? (snapshot ?? IssueMerges.None).After(decision) : snapshot;
}
