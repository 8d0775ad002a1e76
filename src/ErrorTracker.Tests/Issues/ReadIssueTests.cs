using ErrorTracker.Issues;

namespace ErrorTracker.Tests.Issues;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ReadIssueTests(SharedApi shared)
{
    [Theory]
    [InlineData("until=0001-01-01T00:00:00Z")]
    [InlineData("until=2020-01-01T00:00:00Z&interval=DAY&tz=Asia/Kolkata")]
    [InlineData("since=2100-01-01T00:00:00Z")]
    [InlineData("since=9999-12-31T23:59:59.999999Z")]
    public async Task a_window_beyond_the_issue_holds_none_of_its_events(string window)
    {
        var app = await SomeIssues.AddAsync(shared.Api, count: 1);
        var issue = await shared.Api.GetAsync<IssueDetails>($"/apps/{app.Id}/issues/1?{window}");
        Assert.Equal((1, 0), (issue.Count, issue.CountInWindow));
        Assert.Empty(issue.Series);
        Assert.Empty(issue.ByLevel);
        Assert.Empty(issue.ByRelease);
        Assert.True(issue.Since < issue.Until);
    }

    [Fact]
    public async Task an_issue_tells_what_was_decided_about_it()
    {
        var app = await SomeIssues.AddAsync(shared.Api, count: 3);
        var merge = new { into = 1, issues = new[] { 3 } };
        await shared.Api.Host.Scenario(call => call.Post.Json(merge).ToUrl($"/apps/{app.Id}/issues/merge"));
        var merged = await shared.Api.GetAsync<IssueDetails>($"/apps/{app.Id}/issues/3");
        Assert.Equal((1, 2), (merged.Number, merged.Count));
        var history = await shared.Api.GetAsync<DecisionList>($"/apps/{app.Id}/issues/3/history");
        Assert.Equal(history.Items.Single().At, merged.History.Single().At);
        Assert.Empty((await shared.Api.GetAsync<IssueDetails>($"/apps/{app.Id}/issues/2")).History);
    }
}
