using ErrorTracker.Counters;
using ErrorTracker.Issues;
using FsCheck;
using FsCheck.Fluent;
using FsCheck.Xunit;

namespace ErrorTracker.Tests.Issues;

public sealed class InheritanceTests
{
    [Fact]
    public void a_group_takes_over_the_number_that_most_of_its_events_come_from()
    {
        Assert.Equal("a=2", Heirs((1, "a", 10), (2, "a", 11)));
        Assert.Equal("a=1", Heirs((1, "a", 10), (2, "a", 10)));
    }

    [Fact]
    public void of_several_that_would_take_a_number_the_largest_does_and_the_others_are_new() =>
        Assert.Equal("b=1", Heirs((1, "a", 10), (1, "b", 11), (1, "c", 3)));

    [Fact]
    public void a_key_that_stays_keeps_its_number() => Assert.Equal("a=1 b=2", Heirs((1, "a", 10), (2, "b", 1)));

    /// <summary>However events move, no number has two heirs, and no key has two numbers.</summary>
    [Property]
    public bool no_number_is_taken_over_twice((PositiveInt Number, byte Key, PositiveInt Events)[] moves)
    {
        var pairs = Pairs(moves.Select(move => (move.Number.Get % 5 + 1, $"k{move.Key % 7}", (long)move.Events.Get)));
        var heirs = Inheritance.Of(pairs);
        return heirs.Values.Distinct().Count() == heirs.Count
            && heirs.All(heir => pairs.Any(pair => pair.Key == heir.Key && pair.Number == heir.Value));
    }

    [Fact]
    public void a_preview_tells_what_merges_splits_and_stays()
    {
        var pairs = Pairs([(1, "a", 10), (2, "a", 5), (3, "c", 7), (3, "d", 2), (4, "e", 1)]);
        var preview = GroupingPreview.Of(pairs, IssueMerges.None);
        Assert.Equal((25, 7, 1, 1, 1, 0), (preview.Events, preview.Moved, preview.Stay, preview.Merged, preview.Split,
            preview.Conflicts));
        var merge = Assert.Single(preview.Merges);
        Assert.Equal((1, 15L), (merge.Issue, merge.Events));
        Assert.Equal([(1, 10L), (2, 5L)], merge.From.Select(part => (part.Issue, part.Events)));
        var split = Assert.Single(preview.Splits);
        Assert.Equal([(3, 7L), (null, 2L)], split.Parts.Select(part => (part.Issue, part.Events)));
    }

    /// <summary>What people have merged is one issue, whatever its groups become.</summary>
    [Fact]
    public void merges_of_people_are_seen_and_their_splits_are_conflicts()
    {
        var merged = IssueMerges.None.After(new IssuesMerged(1, [2], [], "ada", default));
        Assert.Equal(0, GroupingPreview.Of(Pairs([(1, "a", 10), (2, "a", 5)]), merged).Merged);
        var parted = GroupingPreview.Of(Pairs([(1, "a", 10), (2, "b", 5), (2, "c", 1)]), merged);
        Assert.Equal((1, 1), (parted.Split, parted.Conflicts));
    }

    private static string Heirs(params (int Number, string Key, long Events)[] moves) =>
        string.Join(' ', Inheritance.Of(Pairs(moves)).OrderBy(heir => heir.Key).Select(heir => $"{heir.Key}={heir.Value}"));

    private static List<KeyPair> Pairs(IEnumerable<(int Number, string Key, long Events)> moves) => Regrouping.Add(
        moves.Select((move, at) => new KeyPair(move.Number, move.Key, false, move.Events, at + 1)), []);
}
