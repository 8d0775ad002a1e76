namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnPostgres))]
public sealed class LimitSettingsTests(SharedApi shared)
{
    [Theory]
    [InlineData("EventsPerSecond", "-1")]
    [InlineData("EventsPerSecond", "1000001")]
    [InlineData("BytesPerDay", "1 GB")]
    [InlineData("RegistrationsPerMinute", "many")]
    public async Task what_is_no_limit_is_told_in_one_line(string setting, string value)
    {
        var database = await shared.Server.NewDatabaseAsync();
        var (exitCode, output) = await HostProcess.RunAsync(
            ["--urls", "http://127.0.0.1:0"], ("ConnectionStrings__ErrorTracker", database), ($"ErrorTracker__{setting}", value));
        Assert.Equal(1, exitCode);
        Assert.Matches($"\\AErrorTracker__{setting} must be a whole number from 0, which is no limit, to [0-9,]+\\.\n\\z", output);
    }
}
