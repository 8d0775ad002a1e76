using ErrorTracker.Outcomes;

namespace ErrorTracker.Tests.Outcomes;

public sealed class DropPairsTests
{
    private static readonly DateOnly Day = new(2026, 1, 31);

    [Fact]
    public void the_first_hundred_of_an_application_and_a_day_keep_their_names()
    {
        var pairs = new DropPairs();
        for (var i = 0; i < DropPairs.Most; i++) Assert.Equal(new($"{i}", "c"), pairs.Admit(1, Day, new($"{i}", "c")));
        Assert.Equal(DropPair.Other, pairs.Admit(1, Day, new("new", "c")));
        Assert.Equal(new("7", "c"), pairs.Admit(1, Day, new("7", "c")));
        Assert.Equal(new("new", "c"), pairs.Admit(2, Day, new("new", "c")));
        Assert.Equal(new("new", "c"), pairs.Admit(1, Day.AddDays(1), new("new", "c")));
    }

    /// <summary>What arrived before midnight may be counted after it: that opens no further day.</summary>
    [Fact]
    public void a_late_count_of_the_day_before_belongs_to_the_day_that_has_begun()
    {
        var pairs = new DropPairs();
        for (var i = 0; i < DropPairs.Most; i++) pairs.Admit(1, Day, new($"{i}", "c"));
        Assert.Equal(DropPair.Other, pairs.Admit(1, Day.AddDays(-1), new("new", "c")));
        pairs.ForgetPast();
        Assert.Equal(DropPair.Other, pairs.Admit(1, Day, new("new", "c")));
    }

    [Theory]
    [InlineData(1, 2, 3)]
    [InlineData(long.MaxValue, 1, long.MaxValue)]
    [InlineData(long.MaxValue, long.MaxValue, long.MaxValue)]
    [InlineData(long.MaxValue - 1, 1, long.MaxValue)]
    public void sums_stop_at_the_largest_number(long a, long b, long expected) => Assert.Equal(expected, Saturating.Add(a, b));
}
