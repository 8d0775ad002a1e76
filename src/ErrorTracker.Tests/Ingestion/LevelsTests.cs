using ErrorTracker.Ingestion;

namespace ErrorTracker.Tests.Ingestion;

public sealed class LevelsTests
{
    [Theory]
    [InlineData("debug", "DEBUG")]
    [InlineData("Info", "INFO")]
    [InlineData("WARN", "WARNING")]
    [InlineData("warning", "WARNING")]
    [InlineData("eRRoR", "ERROR")]
    [InlineData("fatal", "CRITICAL")]
    [InlineData("CRITICAL", "CRITICAL")]
    [InlineData("99", null)]
    [InlineData("ERROR ", null)]
    [InlineData("", null)]
    public void a_level_is_understood_in_any_case(string text, string? level) => Assert.Equal(level, Levels.Parse(text));
}
