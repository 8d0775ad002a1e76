using ErrorTracker.Grouping;

namespace ErrorTracker.Tests.Grouping;

public sealed class GroupKeyTests
{
    public static TheoryData<EventPair> RulePairs => [.. EventPairs.In("rule-pairs.ndjson")];

    public static TheoryData<EventPair> SdkPairs => [.. EventPairs.In("sdk-pairs.ndjson")];

    [Theory, MemberData(nameof(RulePairs))]
    public void the_pairs_that_the_rule_was_agreed_on_with_hold(EventPair pair) => Judge(pair);

    [Theory, MemberData(nameof(SdkPairs))]
    public void what_sdks_send_is_grouped_as_a_person_would(EventPair pair) => Judge(pair);

    private static void Judge(EventPair pair)
    {
        var a = GroupKey.ExplainStored(pair.StoredA, GroupingRules.None);
        var b = GroupKey.ExplainStored(pair.StoredB, GroupingRules.None);
        var parts = $"{string.Join(" | ", a.Parts)}\n{string.Join(" | ", b.Parts)}";
        Assert.True(pair.Same == (a.Key == b.Key), parts);
        Assert.True(pair.Method == a.Method, $"{a.Method}: {parts}");
        Assert.Equal(a.Key, GroupKey.OfStored(pair.StoredA, GroupingRules.None));
        Assert.Matches("^[A-Za-z0-9_-]{22}$", a.Key);
    }
}
