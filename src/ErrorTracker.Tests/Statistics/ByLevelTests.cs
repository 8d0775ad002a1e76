namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ByLevelTests(SharedApi shared)
{
    [Fact]
    public async Task levels_are_counted_the_most_frequent_first()
    {
        var (sender, other) = (await shared.Api.RegisterAsync(), await shared.Api.RegisterAsync());
        foreach (var level in new[] { "INFO", "warn", "ERROR", "warning", "WARN", "error" }) await shared.Api.ReportAsync(sender, level);
        await shared.Api.ReportAsync(other, "CRITICAL");
        const string Window = "since=2020-01-01T00:00:00%2B01:00&until=2100-01-01";
        var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/by-level?{Window}");
        const string Items = """[{"level":"WARNING","count":3},{"level":"ERROR","count":2},{"level":"INFO","count":1}]""";
        Assert.Equal(
            $$"""{"since":"2019-12-31T23:00:00Z","until":"2100-01-01T00:00:00Z","items":{{Items}}}""",
            answer.GetRawText());
    }
}
