namespace ErrorTracker.Grouping;

/// <summary>Which events an application counts as the same, whatever the built-in rule says.</summary>
/// <param name="Match">
/// Patterns by name, of which all must match: <c>type</c> and <c>message</c> of any exception, <c>module</c> and
/// <c>function</c> of any chosen place, <c>level</c>, <c>release</c>, <c>environment</c>, <c>logger</c>,
/// <c>transaction</c> and <c>tags.NAME</c>. <c>*</c> stands for any characters, <c>?</c> for one; case does not count. What
/// an event does not have is compared as an empty text.
/// </param>
/// <param name="Parts">1 to 32 parts, as of an SDK's fingerprint, with <c>{{ variables }}</c>.</param>
public sealed record FingerprintRule(IReadOnlyDictionary<string, string> Match, IReadOnlyList<string> Parts)
{
    private FingerprintRule(FingerprintRule original)
    {
        Match = original.Match;
        Parts = original.Parts;
    }

    /// <summary>The matchers, in the order of their names.</summary>
    internal (string Name, Glob Pattern)[] Compiled => field ??=
        [.. Match.OrderBy(match => match.Key, StringComparer.Ordinal).Select(match => (match.Key, new Glob(match.Value)))];

    /// <summary>By content.</summary>
    public bool Equals(FingerprintRule? other) =>
        other is not null && Parts.SequenceEqual(other.Parts) && Match.Count == other.Match.Count
        && Match.All(match => other.Match.TryGetValue(match.Key, out var value) && value == match.Value);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var part in Parts) hash.Add(part);
        foreach (var (name, pattern) in Match.OrderBy(match => match.Key, StringComparer.Ordinal))
        {
            hash.Add(name);
            hash.Add(pattern);
        }
        return hash.ToHashCode();
    }
}
