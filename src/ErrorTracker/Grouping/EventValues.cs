namespace ErrorTracker.Grouping;

/// <summary>Values of an event by the names that fingerprints and rules have for them.</summary>
internal sealed class EventValues(SeenError seen, GroupedError grouped)
{
    private const string Tags = "tags.";

    /// <summary>So many exceptions are compared with a rule, from the innermost on.</summary>
    private const int MostCompared = 10;

    private static readonly string[] Names =
        ["type", "message", "level", "transaction", "environment", "release", "logger", "function", "module"];

    public static bool Knows(string name) =>
        Names.Contains(name) || name.StartsWith(Tags, StringComparison.Ordinal) && name.Length > Tags.Length;

    /// <summary>
    /// Null if the event has none. The message is its template; function and module are the innermost place's.
    /// </summary>
    public string? Of(string name) => name switch
    {
        "type" => grouped.Type,
        "message" => grouped.Template,
        "function" => grouped.Places.FirstOrDefault()?.Function,
        "module" => grouped.Places.FirstOrDefault()?.Where,
        _ => Plain(name),
    };

    /// <summary>What has one value in an event. A native event may have those of SDKs as tags.</summary>
    private string? Plain(string name) => name switch
    {
        "level" => seen.Level,
        "transaction" => Text(seen.Transaction) ?? seen.Tag(name),
        "environment" => Text(seen.Environment) ?? seen.Tag(name),
        "release" => Text(seen.Release) ?? seen.Tag(name),
        "logger" => Text(seen.Logger) ?? seen.Tag(name),
        _ when name.StartsWith(Tags, StringComparison.Ordinal) => seen.Tag(name[Tags.Length..]),
        _ => null,
    };

    /// <summary>The parts of the first own rule that matches; null if none does.</summary>
    public IReadOnlyList<string>? FirstMatch(IReadOnlyList<FingerprintRule> rules)
    {
        foreach (var rule in rules)
            if (Array.TrueForAll(rule.Compiled, match => IsMatch(match.Name, match.Pattern))) return rule.Parts;
        return null;
    }

    private bool IsMatch(string name, Glob pattern) => name switch
    {
        "type" => Any(pattern, Compared.Select(exception => exception.Link.Type), grouped.Type),
        "message" => pattern.IsMatch(seen.Message) || Any(pattern, Compared.Select(Value), grouped.Text),
        "function" => Any(pattern, grouped.Places.Select(place => place.Function)),
        "module" => Any(pattern, grouped.Places.Select(place => place.Where)),
        _ => pattern.IsMatch(Plain(name)),
    };

    /// <summary>An event that has none of the values has an empty one.</summary>
    private static bool Any(Glob pattern, IEnumerable<string?> values, string? otherwise = null)
    {
        var isEmpty = true;
        foreach (var value in values)
        {
            isEmpty = false;
            if (pattern.IsMatch(value)) return true;
        }
        return isEmpty && pattern.IsMatch(otherwise);
    }

    private IEnumerable<SeenException> Compared => seen.Exceptions.Take(MostCompared);

    private string? Value(SeenException exception) => exception.Value.In(seen.Stack);

    private string? Text(TextAt text) => text.In(seen.Context);
}
