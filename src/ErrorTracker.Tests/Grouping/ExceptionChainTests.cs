using ErrorTracker.Grouping;

namespace ErrorTracker.Tests.Grouping;

/// <summary>Titles of chains are tested with the events that SDKs send, in ExceptionTitleTests.</summary>
public sealed class ExceptionChainTests
{
    [Fact]
    public void none_has_no_subject_and_no_root()
    {
        var chain = new ExceptionChain([], GroupingRules.None);
        Assert.Equal((-1, -1), (chain.Subject(), chain.Root()));
    }

    [Fact]
    public void own_wrappers_are_peeled_like_those_that_are_known()
    {
        ChainLink[] links = [new("Timeout", true), new("shop.Carrier", true), new("System.AggregateException", true)];
        Assert.Equal(1, new ExceptionChain(links, GroupingRules.None).Subject());
        Assert.Equal(0, new ExceptionChain(links, GroupingRules.None with { Wrappers = ["Carrier"] }).Subject());
    }

    [Fact]
    public void a_group_of_several_is_judged_by_its_first_child_and_by_the_innermost()
    {
        ChainLink[] links =
        [
            new("B", true, Id: 2, Parent: 0), new("A", true, Id: 1, Parent: 0), new("Group", true, Id: 0, IsGroup: true),
        ];
        var chain = new ExceptionChain(links, GroupingRules.None);
        Assert.Equal((1, 0), (chain.Subject(), chain.Root()));
    }

    [Fact]
    public void what_was_suppressed_is_no_root()
    {
        ChainLink[] links = [new("Close", true, 1, 0, Kinship: Kinship.Suppressed), new("Query", true, 0)];
        Assert.Equal(1, new ExceptionChain(links, GroupingRules.None).Root());
    }
}
