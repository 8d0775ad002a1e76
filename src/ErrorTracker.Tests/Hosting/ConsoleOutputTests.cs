namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ConsoleOutputTests(SharedApi shared)
{
    private const string Open =
        "can read all errors, register applications and make keys: ERRORTRACKER_READ_TOKEN is not set";

    [Theory]
    [InlineData("http://0.0.0.0:0", null, Open)]
    [InlineData("http://0.0.0.0:0", "of thirty-two characters or more", null)]
    [InlineData("http://127.0.0.1:0", null, null)]
    [InlineData("http://127.0.0.1:0", "short", "ERRORTRACKER_READ_TOKEN has fewer than 16 characters, and may be guessed")]
    public async Task a_host_that_others_can_reach_without_a_token_or_with_a_weak_one_says_so_when_it_starts(
        string url, string? token, string? warning)
    {
        List<(string, string)> settings =
        [
            ("ConnectionStrings__ErrorTracker", await shared.Server.NewDatabaseAsync()),
            ("ErrorTracker__SingleNode", "true"),
        ];
        if (token is not null) settings.Add(("ERRORTRACKER_READ_TOKEN", token));
        await using var host = await HostProcess.StartAtAsync(url, [.. settings]);
        await host.EndAsync(HostProcess.Terminate);
        var warnings = host.Output.Split('\n').Where(line => line.Contains(" warn: ")).ToList();
        Assert.Equal(warning is null ? 0 : 1, warnings.Count);
        if (warning is not null) Assert.EndsWith(warning, warnings[0]);
        if (token is not null) Assert.DoesNotContain(token, host.Output);
    }
}
