using ErrorTracker.Http;

namespace ErrorTracker.Tests.Http;

public sealed class NumberTests
{
    [Theory]
    [InlineData("7", true)]
    [InlineData("+7", true)]
    [InlineData("007", true)]
    [InlineData("", false)]
    [InlineData("0", false)]
    [InlineData("10", false)]
    [InlineData("7\0", false)]
    [InlineData(" 7", false)]
    [InlineData("7.0", false)]
    [InlineData("99999999999", false)]
    public void only_a_whole_number_between_the_limits_is_taken(string text, bool isTaken)
    {
        var errors = new Dictionary<string, string[]>();
        Assert.Equal(isTaken ? 7 : 3, Number.Optional("limit", text, otherwise: 3, least: 1, most: 9, errors));
        Assert.Equal(isTaken ? [] : ["limit"], errors.Keys);
    }
}
