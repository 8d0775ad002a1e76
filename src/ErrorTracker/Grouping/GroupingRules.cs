using System.Text.Json;

namespace ErrorTracker.Grouping;

/// <summary>
/// The own rules of an application, beside the built-in one. Immutable; equal by content. An event that they do not
/// touch has the key that the built-in rule gives it.
/// </summary>
/// <param name="Fingerprints">
/// The first that matches an event gives its key. It goes before the fingerprint that an SDK sent: who writes a rule
/// wants it to hold, and may say <c>{{ default }}</c> for what the built-in rule finds.
/// </param>
/// <param name="Wrappers">
/// Further types of exceptions that only carry others: the whole name or its last part; <c>*</c> and <c>?</c> as in
/// fingerprint rules.
/// </param>
/// <param name="InApp">
/// <c>+pattern</c> or <c>-pattern</c> on the module or file of a frame: whether it is the application's own, whatever the
/// SDK says. The last that matches counts.
/// </param>
/// <param name="Places">How many places of a stack count, 1 to 20.</param>
public sealed record GroupingRules(
    IReadOnlyList<FingerprintRule> Fingerprints, IReadOnlyList<string> Wrappers, IReadOnlyList<string> InApp, int Places)
{
    public const int UsualPlaces = 5;

    /// <summary>The built-in rule alone.</summary>
    public static readonly GroupingRules None = new([], [], [], UsualPlaces);

    private Glob[]? _wrappers;
    private (bool IsInApp, Glob Pattern)[]? _inApp;

    private GroupingRules(GroupingRules original)
    {
        Fingerprints = original.Fingerprints;
        Wrappers = original.Wrappers;
        InApp = original.InApp;
        Places = original.Places;
    }

    /// <summary>
    /// The rules that a JSON object says: its members <c>fingerprints</c>, <c>wrappers</c>, <c>in_app</c> and
    /// <c>places</c>, none of which must be there.
    /// </summary>
    /// <param name="errors">Gets each fault under the name of its field, such as <c>fingerprints[2].match.type</c>.</param>
    /// <returns>Null if there are faults.</returns>
    public static GroupingRules? Parse(JsonElement json, Dictionary<string, string[]> errors) =>
        GroupingRulesJson.Parse(json, errors);

    /// <summary>The same rules as JSON in UTF-8, which <see cref="Parse"/> reads.</summary>
    public byte[] ToJson() => GroupingRulesJson.Write(this);

    internal bool IsWrapper(ReadOnlySpan<char> type)
    {
        if (Wrappers.Count == 0) return false;
        _wrappers ??= [.. Wrappers.Select(wrapper => new Glob(wrapper))];
        var last = ExceptionChain.LastPart(type);
        foreach (var wrapper in _wrappers) if (wrapper.IsMatch(type) || wrapper.IsMatch(last)) return true;
        return false;
    }

    /// <summary>Null if no pattern matches.</summary>
    internal bool? IsInApp(string? module, string? file)
    {
        _inApp ??= [.. InApp.Select(pattern => (pattern.StartsWith('+'), new Glob(pattern[1..])))];
        for (var at = _inApp.Length - 1; at >= 0; at--)
        {
            var (isInApp, pattern) = _inApp[at];
            if (module is not null && pattern.IsMatch(module)) return isInApp;
            if (file is not null && pattern.IsMatch(file)) return isInApp;
        }
        return null;
    }

    /// <summary>By content.</summary>
    public bool Equals(GroupingRules? other) =>
        other is not null && Places == other.Places && Fingerprints.SequenceEqual(other.Fingerprints)
        && Wrappers.SequenceEqual(other.Wrappers) && InApp.SequenceEqual(other.InApp);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.Add(Places);
        foreach (var rule in Fingerprints) hash.Add(rule);
        foreach (var wrapper in Wrappers) hash.Add(wrapper);
        foreach (var pattern in InApp) hash.Add(pattern);
        return hash.ToHashCode();
    }
}
