using System.Collections.Frozen;

namespace ErrorTracker.Grouping;

/// <summary>What an exception is to its parent.</summary>
internal enum Kinship
{
    /// <summary>One of those that a group holds.</summary>
    Member,

    /// <summary>What caused it.</summary>
    Cause,

    /// <summary>What was caught while it was on its way.</summary>
    Suppressed,
}

/// <summary>What of an exception says how it hangs together with others.</summary>
/// <param name="Type">Null if it has none.</param>
/// <param name="IsTitled">It has a type or a text.</param>
/// <param name="Id">The mechanism's <c>exception_id</c>.</param>
/// <param name="Parent">The mechanism's <c>parent_id</c>.</param>
/// <param name="IsGroup">The mechanism says <c>is_exception_group</c>.</param>
internal readonly record struct ChainLink(
    string? Type, bool IsTitled, long? Id = null, long? Parent = null, bool IsGroup = false,
    Kinship Kinship = Kinship.Member)
{
    private static readonly FrozenSet<string> Causes =
        FrozenSet.Create(StringComparer.Ordinal, "cause", "__cause__", "__context__", "InnerException");

    /// <param name="type">The mechanism's. Java's suppressed exceptions have lower ids than causes.</param>
    /// <param name="source">The mechanism's: the member of the parent that held the exception.</param>
    public static Kinship KinshipOf(string? type, string? source) =>
        type == "suppressed" ? Kinship.Suppressed
        : source is not null && Causes.Contains(source) ? Kinship.Cause
        : Kinship.Member;
}

/// <summary>
/// The exceptions of an event, the innermost first and the one that was caught last, and how they hang together: by the
/// ids that newer SDKs send (<c>mechanism.exception_id</c> and <c>parent_id</c>), else each caused the one after it.
/// Pure; costs the number of exceptions.
/// </summary>
internal sealed class ExceptionChain
{
    /// <summary>Types that only carry others, by the last part of their names.</summary>
    private static readonly FrozenSet<string>.AlternateLookup<ReadOnlySpan<char>> Wrappers = FrozenSet.Create(
        StringComparer.Ordinal,
        "AggregateException", "AggregateError", "ExceptionGroup", "BaseExceptionGroup", "TargetInvocationException",
        "TypeInitializationException", "ExecutionException", "CompletionException", "InvocationTargetException",
        "UndeclaredThrowableException", "NestedServletException").GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>So many exceptions are asked whether they only carry others.</summary>
    private const int MostSteps = 100;

    private readonly IReadOnlyList<ChainLink> _links;
    private readonly GroupingRules _rules;
    private readonly Lazy<Dictionary<long, int>> _firstChildren;

    /// <param name="links">The innermost first.</param>
    /// <param name="rules">They may name further wrappers.</param>
    public ExceptionChain(IReadOnlyList<ChainLink> links, GroupingRules rules)
    {
        _links = links;
        _rules = rules;
        _firstChildren = new(FirstChildren);
    }

    /// <summary>
    /// The place of the outermost exception that has a type or a text and does not only carry others; of a wrapper or
    /// group its first child. -1 if none has a type or text.
    /// </summary>
    public int Subject()
    {
        var wrapper = -1;
        var at = _links.Count - 1;
        for (var step = 0; at >= 0 && step < MostSteps; step++)
        {
            var inner = InnerOf(at);
            if (_links[at].IsTitled)
            {
                if (inner < 0 || !IsWrapper(at, inner)) return at;
                if (wrapper < 0) wrapper = at;
            }
            at = inner;
        }
        return wrapper;
    }

    /// <summary>The place of the innermost exception that was not suppressed; -1 if there is none.</summary>
    public int Root()
    {
        for (var at = 0; at < _links.Count; at++)
            if (_links[at].Kinship != Kinship.Suppressed) return at;
        return -1;
    }

    /// <summary>The first child, or the exception before it in the list; -1 if there is none.</summary>
    public int InnerOf(int at)
    {
        if (_links[at].Id is { } id && _firstChildren.Value.TryGetValue(id, out var child)) return child;
        return at > 0 && _links[at - 1].Parent is null ? at - 1 : -1;
    }

    /// <summary>
    /// By their parents' ids: what a group holds goes before what caused it, and that before what was suppressed while
    /// it was on its way; of several the one with the lowest id.
    /// </summary>
    private Dictionary<long, int> FirstChildren()
    {
        var ranks = new Dictionary<long, (Kinship Kinship, long Id)>();
        var children = new Dictionary<long, int>();
        for (var at = 0; at < _links.Count; at++)
        {
            if (_links[at].Parent is not { } parent) continue;
            var rank = (_links[at].Kinship, Id: _links[at].Id ?? long.MaxValue);
            if (rank.Id == parent) continue;
            if (ranks.TryGetValue(parent, out var first) && first.CompareTo(rank) <= 0) continue;
            ranks[parent] = rank;
            children[parent] = at;
        }
        return children;
    }

    /// <summary>
    /// Some SDKs call each exception that has a cause a group; one that is told to have a cause speaks for itself. So
    /// does one whose id nobody names as parent: older versions of Go's number the chain from its inner end.
    /// </summary>
    private bool IsWrapper(int at, int inner)
    {
        var link = _links[at];
        if (link.Type is { } type && (Wrappers.Contains(LastPart(type)) || _rules.IsWrapper(type))) return true;
        var isParent = link.Id is not { } id || _links[inner].Parent == id;
        return link.IsGroup && isParent && _links[inner].Kinship == Kinship.Member;
    }

    /// <summary>The name of a type without its namespace or module.</summary>
    public static ReadOnlySpan<char> LastPart(ReadOnlySpan<char> type) => type[(type.LastIndexOfAny(".+$:\\") + 1)..];
}
