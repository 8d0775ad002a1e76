using ErrorTracker.Counters;
using ErrorTracker.Events;
using ErrorTracker.Issues;
using ErrorTracker.Tests.Windows;
using ErrorTracker.Windows;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Issues;

/// <summary>What questions about issues cost does not grow with the events that these have.</summary>
[Collection(nameof(OnPostgres))]
public sealed class IssueCostTests(SharedApi shared)
{
    private const int Few = 400, Many = 8_000;

    private static readonly DateTimeOffset Start = RandomErrors.Start;

    [Fact]
    public async Task a_page_of_issues_and_a_page_of_an_issues_events_cost_as_much_however_many_events_there_are()
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 51);
        await StoreAsync(log, Few);
        var (listed, first, _) = await CostsAsync(log, page: 1);
        await StoreAsync(log, Many - Few);
        var (listedOfMany, firstOfMany, lastOfMany) = await CostsAsync(log, page: Many / 4 / 20 - 1);
        for (var i = 0; i < listed.Count; i++) Assert.InRange(listedOfMany[i], 0, listed[i] * 1.5 + 50);
        Assert.InRange(firstOfMany, 0, first * 1.5 + 50);
        Assert.InRange(lastOfMany, 0, firstOfMany * 3);
    }

    /// <summary>Four issues, whose events come in turns over three days.</summary>
    private static async Task StoreAsync(UnfoldedLog log, int count)
    {
        var step = TimeSpan.FromDays(3).Ticks / count;
        foreach (var part in Enumerable.Range(0, count).Chunk(2_000))
            await log.Api.StoreAsync(part.Select(i => RandomErrors.Event(
                log.Senders[0], Start.AddTicks(i * step / 10 * 10), "ERROR", $"{(char)('a' + i % 4)} jam")));
        await log.MoveMarkAsync();
        await log.FoldAsync(5_000);
        await log.CloseAsync();
        await log.ExecuteAsync("analyze");
    }

    /// <summary>Of lists in each order, over all of time and over whole days; of an issue's first page, and of another one.</summary>
    private static async Task<(List<long> Lists, long First, long Other)> CostsAsync(UnfoldedLog log, int page)
    {
        var (api, app) = (log.Api, log.Senders[0].Id);
        await using var view = await api.Host.Services.GetRequiredService<Snapshots>().TakeAsync(app, default);
        await view.ReadWholeTailAsync(default);
        var lists = new List<long>();
        foreach (var sort in IssueSort.All)
            foreach (var window in new[] { Window.Everything, new Window(Start.AddDays(1), Start.AddDays(2)) })
            {
                var request = new IssueRequest(window, IssueState.Unresolved, null, IssueQuery.None, sort, 20, null);
                var question = new Question(app, window, Step.OfGroups, null, ("limit", 21));
                lists.Add(await QueryPlan.WorkAsync(api, IssueList.SqlOf(request), question, view.Marks));
            }

        var issue = await IssueGroups.FindAsync(view, app, 1, default);
        var all = new Question(app, Window.Everything, Step.OfGroups) { Issue = issue };
        return (lists, await PageAsync(0), await PageAsync(20 * page));

        async Task<long> PageAsync(int offset)
        {
            var start = await PageStart.FindAsync(view, all, offset, default);
            var rows = all with
            {
                Window = all.Window with { Until = start!.Until },
                More = [("offset", start.Skip), ("limit", 21)],
            };
            var counts = all with { More = [("length", Step.Day.Length), ("offset", (long)offset)] };
            var walked = await QueryPlan.WorkAsync(api, ListIssueEvents.Rows, rows, view.Marks);
            var counted = offset == 0 ? 0 : await QueryPlan.WorkAsync(api, PageStart.SqlOfIssue, counts, view.Marks);
            return walked + counted;
        }
    }
}
