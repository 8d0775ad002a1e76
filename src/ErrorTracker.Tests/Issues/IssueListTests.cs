namespace ErrorTracker.Tests.Issues;

/// <summary>
/// Lists, issues and statistics are as a count of the whole log makes them, however far the log is folded. The host folds
/// nothing by itself: the test does, range by range.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class IssueListTests(SharedApi shared)
{
    private const int Events = 450;

    [Theory]
    [InlineData(11)]
    public async Task whatever_is_folded_open_closed_merged_or_rebuilt_all_is_as_the_log_says(int seed)
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed);
        await log.SendAsync(Events / 3);
        await log.AssertAsync("nothing is folded, and no group has a number", hasTexts: false);
        await log.MoveMarkAsync();
        await log.AssertAsync("nothing is folded", hasTexts: false);
        await log.MergeAsync(3);
        await log.AssertAsync("nothing is folded, and some are merged", hasTexts: false);

        await log.FoldAsync(17);
        await log.AssertAsync("all minutes are open", hasTexts: false);
        await log.CloseAsync();
        await log.AssertAsync("all is closed", hasTexts: true);
        await log.SplitAsync(2);
        await log.AssertAsync("all is closed, and some are split", hasTexts: true);

        await log.SendAsync(Events / 3);
        await log.FoldAsync(40);
        await log.MergeAsync(4);
        await log.SendAsync(Events / 6);
        await log.MoveMarkAsync();
        await log.SendAsync(Events / 6);
        await log.AssertAsync("some minutes are closed, some are open, and there is a tail", hasTexts: false);
        await log.LoseProgressAsync();
        await log.AssertAsync("the progress is lost, and the tables are void", hasTexts: false);

        await log.MoveMarkAsync();
        await log.RebuildAsync(partSize: 100);
        await log.AssertAsync("all is rebuilt", hasTexts: true);
        await log.SplitAsync(3);
        await log.SendAsync(20);
        await log.MoveMarkAsync();
        await log.FoldAsync(7);
        await log.AssertAsync("few minutes are open", hasTexts: false);
        await log.CloseAsync();
        await log.AssertAsync("all is closed", hasTexts: true);
        Assert.Empty(await log.VerifyAsync());
    }
}
