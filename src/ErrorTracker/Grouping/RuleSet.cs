namespace ErrorTracker.Grouping;

/// <summary>
/// By which rules an application groups its events. Rule sets are numbered as the application adopts them; 0 is the
/// built-in rule alone.
/// </summary>
public sealed record RuleSet(int Grouping, GroupingRules Rules)
{
    public static readonly RuleSet BuiltIn = new(0, GroupingRules.None);

    /// <summary>What is stored beside a key, to tell by which rules it was made; data.</summary>
    public string Label { get; } = LabelOf(Grouping);

    public static string LabelOf(int grouping) =>
        grouping == 0 ? GroupKey.Version : $"{GroupKey.Version}.{grouping}";
}
