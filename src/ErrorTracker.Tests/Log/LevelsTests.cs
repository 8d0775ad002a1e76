using ErrorTracker.Log;

namespace ErrorTracker.Tests.Log;

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
    [InlineData("trace", "DEBUG")]
    [InlineData("Verbose", "DEBUG")]
    [InlineData("finest", "DEBUG")]
    [InlineData("FINER", "DEBUG")]
    [InlineData("fine", "DEBUG")]
    [InlineData("log", "INFO")]
    [InlineData("Information", "INFO")]
    [InlineData("informational", "INFO")]
    [InlineData("notice", "INFO")]
    [InlineData("config", "INFO")]
    [InlineData("err", "ERROR")]
    [InlineData("SEVERE", "CRITICAL")]
    [InlineData("crit", "CRITICAL")]
    [InlineData("alert", "CRITICAL")]
    [InlineData("emerg", "CRITICAL")]
    [InlineData("Emergency", "CRITICAL")]
    [InlineData("panic", "CRITICAL")]
    [InlineData("10", "DEBUG")]
    [InlineData("19", "DEBUG")]
    [InlineData("20", "INFO")]
    [InlineData("25", "INFO")]
    [InlineData("30", "WARNING")]
    [InlineData("40.0", "ERROR")]
    [InlineData("50", "CRITICAL")]
    [InlineData("9", null)]
    [InlineData("51", null)]
    [InlineData("99", null)]
    [InlineData("+20", null)]
    [InlineData("40.5", null)]
    [InlineData("40.", null)]
    [InlineData("４0", null)]
    [InlineData("ınfo", null)]
    [InlineData("ERROR ", null)]
    [InlineData("", null)]
    public void a_level_is_understood_in_any_case(string text, string? level) =>
        Assert.Equal(level, Levels.Parse(text));

    [Theory]
    [InlineData("40", "ERROR")]
    [InlineData("25", "INFO")]
    [InlineData("40.0", "ERROR")]
    [InlineData("\"40\"", "ERROR")]
    [InlineData("\"emerg\"", "CRITICAL")]
    [InlineData("4e1", null)]
    [InlineData("true", null)]
    [InlineData("null", null)]
    [InlineData("[40]", null)]
    public void a_json_number_is_as_good_as_its_text(string json, string? level)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        Assert.Equal(level, Levels.Parse(document.RootElement));
    }
}
