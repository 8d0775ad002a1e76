using System.Text.Json;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The exceptions of an event, the innermost first and the one that was caught last, and how they hang together: by the
/// ids that newer SDKs send (<c>mechanism.exception_id</c> and <c>parent_id</c>), else each caused the one after it.
/// Pure; costs the size of the exceptions.
/// </summary>
internal sealed class ExceptionChain
{
    /// <summary>Types that only carry others, by the last part of their names.</summary>
    private static readonly HashSet<string> Wrappers =
    [
        "AggregateException", "AggregateError", "ExceptionGroup", "BaseExceptionGroup", "TargetInvocationException",
        "TypeInitializationException", "ExecutionException", "CompletionException", "InvocationTargetException",
        "UndeclaredThrowableException", "NestedServletException",
    ];

    /// <summary>What an exception is to its parent that has but one: a cause, not a member of a group.</summary>
    private static readonly HashSet<string> Causes = ["cause", "__cause__", "__context__", "InnerException"];

    /// <summary>
    /// The mechanism's type of an exception that another one went before. Java's have lower ids than causes.
    /// </summary>
    private const string Suppressed = "suppressed";

    /// <summary>So many exceptions are asked for their title.</summary>
    private const int MostSteps = 100;

    private readonly List<JsonElement> _exceptions;
    private readonly Lazy<Dictionary<long, int>> _firstChildren;

    /// <param name="exceptions">What is no object has no title and stands for nothing.</param>
    public ExceptionChain(List<JsonElement> exceptions)
    {
        _exceptions = exceptions;
        _firstChildren = new(FirstChildren);
    }

    /// <summary>
    /// Type and text of the outermost exception that has any and does not only carry others; of a wrapper or group the
    /// first child's. Null if none has a title.
    /// </summary>
    public string? Title()
    {
        string? wrapper = null;
        var at = _exceptions.Count - 1;
        for (var step = 0; at >= 0 && step < MostSteps; step++)
        {
            var title = TitleOf(_exceptions[at]);
            var inner = InnerOf(at);
            if (title is not null && (inner < 0 || !IsWrapper(at, inner))) return title;
            wrapper ??= title;
            at = inner;
        }
        return wrapper;
    }

    /// <summary>
    /// By their parents' ids: what a group holds goes before what caused it, and that before what was suppressed while
    /// it was on its way; of several the one with the lowest id.
    /// </summary>
    private Dictionary<long, int> FirstChildren()
    {
        var ranks = new Dictionary<long, (int Kinship, long Id)>();
        var children = new Dictionary<long, int>();
        for (var at = 0; at < _exceptions.Count; at++)
        {
            if (Id(at, "parent_id") is not { } parent) continue;
            (int Kinship, long Id) rank = (KinshipOf(at), Id(at, "exception_id") ?? long.MaxValue);
            if (rank.Id == parent) continue;
            if (ranks.TryGetValue(parent, out var first) && first.CompareTo(rank) <= 0) continue;
            ranks[parent] = rank;
            children[parent] = at;
        }
        return children;
    }

    /// <summary>0 for a member of a group, 1 for a cause, 2 for what was suppressed.</summary>
    private int KinshipOf(int at)
    {
        if (Mechanism(at) is not { } link) return 0;
        if (JsonText.Member(link, "type") == Suppressed) return 2;
        return JsonText.Member(link, "source") is { } source && Causes.Contains(source) ? 1 : 0;
    }

    /// <summary>The first child, or the exception before it in the list; -1 if there is none.</summary>
    private int InnerOf(int at)
    {
        if (Id(at, "exception_id") is { } id && _firstChildren.Value.TryGetValue(id, out var child)) return child;
        return at > 0 && Id(at - 1, "parent_id") is null ? at - 1 : -1;
    }

    /// <summary>
    /// Some SDKs call each exception that has a cause a group; one that is told to have a cause speaks for itself. So
    /// does one whose id nobody names as parent: older versions of Go's number the chain from its inner end.
    /// </summary>
    private bool IsWrapper(int at, int inner)
    {
        if (JsonText.Member(_exceptions[at], "type") is { } type && Wrappers.Contains(LastPart(type))) return true;
        if (Mechanism(at) is not { } mechanism) return false;
        if (!mechanism.TryGetProperty("is_exception_group", out var isGroup)) return false;
        var isParent = Id(at, "exception_id") is not { } id || Id(inner, "parent_id") == id;
        return isGroup.ValueKind == JsonValueKind.True && isParent && KinshipOf(inner) == 0;
    }

    private static string LastPart(string type) => type[(type.AsSpan().LastIndexOfAny(".+$:") + 1)..];

    private JsonElement? Mechanism(int at)
    {
        var exception = _exceptions[at];
        if (exception.ValueKind != JsonValueKind.Object) return null;
        if (!exception.TryGetProperty("mechanism", out var mechanism)) return null;
        return mechanism.ValueKind == JsonValueKind.Object ? mechanism : null;
    }

    private long? Id(int at, string name)
    {
        if (Mechanism(at) is not { } mechanism || !mechanism.TryGetProperty(name, out var id)) return null;
        return id.ValueKind == JsonValueKind.Number && id.TryGetInt64(out var number) ? number : null;
    }

    private static string? TitleOf(JsonElement exception)
    {
        if (exception.ValueKind != JsonValueKind.Object) return null;
        var type = JsonText.Member(exception, "type");
        var value = JsonText.Member(exception, "value");
        return type is not null && value is not null ? $"{type}: {value}" : type ?? value;
    }
}
