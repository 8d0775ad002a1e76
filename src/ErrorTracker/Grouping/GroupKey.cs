using ErrorTracker.Log;

namespace ErrorTracker.Grouping;

// Grouping: which group key an error has, and why. It owns the built-in rule, which has a version, and what the own
// rules of an application mean. It may use the event of Log; it is pure: it reads no clock, no database and no service.

/// <summary>
/// The group key of an error: errors with equal keys are the same problem. It is made of where the error happened and of
/// what type it is; if that is not known, of its text without what changes; or of the fingerprint that an SDK or a rule
/// of the application gives it. Pure, and costs the size of the event; it never fails, whatever the event holds. Level,
/// release, environment, user, server, transaction and time are no part of it, nor is any line or column.
/// </summary>
public static class GroupKey
{
    /// <summary>Of the built-in rule; a rule that gives other keys has another.</summary>
    public const string Version = "g1";

    /// <summary>Keys of fingerprints that do not ask for the built-in rule outlive it.</summary>
    private const string AnyVersion = "";

    /// <summary>The key alone: 22 characters of base64url.</summary>
    public static string Of(ErrorOccurred error, GroupingRules rules) => KeyOf(SeenError.Of(error), rules);

    /// <summary>The key with all that people see.</summary>
    public static Explanation Explain(ErrorOccurred error, GroupingRules rules) => Explain(SeenError.Of(error), rules);

    /// <param name="stored">An event as the log stores it: JSON in UTF-8.</param>
    /// <inheritdoc cref="Of" path="/summary"/>
    public static string OfStored(ReadOnlyMemory<byte> stored, GroupingRules rules) =>
        KeyOf(SeenError.OfStored(stored), rules);

    /// <param name="stored">An event as the log stores it: JSON in UTF-8.</param>
    /// <inheritdoc cref="Explain(ErrorOccurred, GroupingRules)" path="/summary"/>
    public static Explanation ExplainStored(ReadOnlyMemory<byte> stored, GroupingRules rules) =>
        Explain(SeenError.OfStored(stored), rules);

    private static string KeyOf(SeenError seen, GroupingRules rules)
    {
        var parts = new List<string>();
        var (_, version) = AddParts(seen, new(seen, rules), rules, parts);
        seen.Return();
        return KeyHash.Of(version, parts);
    }

    private static Explanation Explain(SeenError seen, GroupingRules rules)
    {
        var parts = new List<string>();
        var grouped = new GroupedError(seen, rules);
        var (method, version) = AddParts(seen, grouped, rules, parts);
        var template = grouped.Template is { Length: > 0 } text ? text : null;
        var place = grouped.Places.FirstOrDefault()?.ToString();
        var title = grouped.Title();
        seen.Return();
        return new(KeyHash.Of(version, parts), method, parts, template, title, grouped.Type, place);
    }

    /// <summary>An own rule goes before the SDK's fingerprint, and that before the built-in rule.</summary>
    private static (string Method, string Version) AddParts(
        SeenError seen, GroupedError grouped, GroupingRules rules, List<string> parts)
    {
        if (rules.Fingerprints.Count > 0 || seen.Fingerprint.Count > 0)
        {
            var values = new EventValues(seen, grouped);
            var own = values.FirstMatch(rules.Fingerprints);
            var sent = own ?? seen.Fingerprint.ConvertAll(part => part.In(seen.Context) ?? "");
            if (Fingerprint.Of(sent) is { } fingerprint)
                return AddFingerprint(fingerprint, own is null ? "fingerprint" : "rule", grouped, values, parts);
        }
        return (grouped.AddParts(parts), Version);
    }

    private static (string Method, string Version) AddFingerprint(
        List<string> fingerprint, string method, GroupedError grouped, EventValues values, List<string> parts)
    {
        string? builtIn = null;
        foreach (var part in fingerprint)
        {
            if (Fingerprint.IsDefault(part)) builtIn = grouped.AddParts(parts);
            else parts.Add("fingerprint: " + Fingerprint.ValueOf(part, values));
        }
        return builtIn is null ? (method, AnyVersion) : ($"{method}+{builtIn}", Version);
    }
}
