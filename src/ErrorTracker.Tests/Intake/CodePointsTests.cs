using ErrorTracker.Intake;

namespace ErrorTracker.Tests.Intake;

public sealed class CodePointsTests
{
    [Theory]
    [InlineData("", 2, "")]
    [InlineData("ab", 2, "ab")]
    [InlineData("abc", 2, "ab")]
    [InlineData("💥💥", 2, "💥💥")]
    [InlineData("💥💥💥", 2, "💥💥")]
    [InlineData("a💥c", 2, "a💥")]
    public void a_text_is_cut_between_code_points(string text, int most, string expected)
    {
        Assert.Equal(expected, CodePoints.Truncate(text, most));
        Assert.Equal(expected != text, CodePoints.IsLonger(text, most));
    }
}
