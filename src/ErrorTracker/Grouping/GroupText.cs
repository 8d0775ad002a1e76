namespace ErrorTracker.Grouping;

/// <summary>What a group is called after one of its events.</summary>
/// <param name="Level">Of the event.</param>
/// <param name="Title">At most 300 characters.</param>
/// <param name="Type">Of the exception; empty: none.</param>
/// <param name="Place">Where it happened; empty: not known.</param>
public sealed record GroupText(string Level, string Title, string Type, string Place)
{
    /// <param name="stored">The event as the log has it: JSON in UTF-8.</param>
    /// <param name="rules">By which it is grouped.</param>
    public static GroupText Of(byte[] stored, GroupingRules rules)
    {
        var error = StoredError.Read(stored);
        var explained = GroupKey.Explain(error, rules);
        return new(error.Level, explained.Title, explained.Type ?? "", explained.Place ?? "");
    }
}
