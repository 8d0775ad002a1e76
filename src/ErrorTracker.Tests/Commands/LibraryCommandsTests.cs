using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Commands;

[Collection(nameof(OnAnotherPostgres))]
public sealed class LibraryCommandsTests(SharedApi shared)
{
    [Fact]
    public async Task describe_shows_no_secret()
    {
        var database = $"{await shared.Server.NewEmptyDatabaseAsync()};Password=s3cr1";
        var (exitCode, output) = await HostProcess.RunAsync(
            ["describe"], ("ConnectionStrings__ErrorTracker", database), ("ERRORTRACKER_READ_TOKEN", "s3cr2"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "x=s3cr3"), ("OTHER_URL", "redis://u:s3cr4@h"));
        Assert.True(exitCode == 0, output);
        Assert.Contains("OTHER_URL", output);
        Assert.DoesNotContain("s3cr", output);
    }
}
