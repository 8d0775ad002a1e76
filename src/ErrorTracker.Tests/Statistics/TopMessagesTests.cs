using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Statistics;
using ErrorTracker.Tests.Windows;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnAnotherPostgres))]
public sealed class TopMessagesTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 10, 0, 0, TimeSpan.Zero);

    /// <summary>a and b twice, b seen later; c to e once, at one instant.</summary>
    [Theory]
    [InlineData("", "b=2 a=2 c=1 d=1 e=1")]
    [InlineData("limit=2", "b=2 a=2")]
    [InlineData("limit=4", "b=2 a=2 c=1 d=1")]
    [InlineData("level=INFO", "b=1 a=1")]
    public async Task messages_are_ranked_by_count_then_last_seen_then_text(string options, string expected)
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync([
            TestApi.Event(sender, Start, message: "a"), TestApi.Event(sender, Start.AddHours(1), "INFO", "a"),
            TestApi.Event(sender, Start, message: "b"), TestApi.Event(sender, Start.AddHours(2), "INFO", "b"),
            TestApi.Event(sender, Start, message: "e"),
            TestApi.Event(sender, Start, message: "c"),
            TestApi.Event(sender, Start, message: "d"),
        ]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var answer = await AskAsync(shared.Api, sender, $"since=2026-05-04&until=2026-05-05&{options}");
            Assert.Equal(expected, string.Join(' ', answer.Items.Select(item => $"{item.Message}={item.Count}")));
            Assert.Equal(Start.AddHours(2), answer.Items[0].LastSeen);
        }
    }

    [Fact]
    public async Task the_limit_is_ten_if_absent_and_part_of_the_answer()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync(Enumerable.Range(0, 12).Select(i => TestApi.Event(sender, Start, message: $"m{i}")));
        var answer = await AskAsync(shared.Api, sender, "since=2026-05-04&until=2026-05-05");
        Assert.Equal((10, 10), (answer.Limit, answer.Items.Count));
    }

    [Fact]
    public async Task a_message_as_long_as_the_contract_allows_is_counted()
    {
        var (sender, text) = (await shared.Api.RegisterAsync(), string.Concat(Enumerable.Range(0, 2048).Select(i => $"é{i % 1000:000}")));
        await shared.Api.ReportAsync(sender, message: text);
        await shared.Api.FoldedAsync();
        var answer = await AskAsync(shared.Api, sender, "since=2020-01-01&until=2100-01-01");
        Assert.Equal(text, answer.Items[0].Message);
    }

    private static Task<FrequentMessages> AskAsync(TestApi api, Sender sender, string query) =>
        api.GetAsync<FrequentMessages>($"/apps/{sender.Id}/stats/top-messages?{query}");

    /// <summary>
    /// Messages that are all new and tie, in the tail that is not folded, then in open minutes: eight times as many
    /// cost about eight times as much, not 64 times. The cost is what PostgreSQL counts of its own work, rows and
    /// buffers, the same in every run.
    /// </summary>
    [Fact]
    public async Task the_cost_grows_as_the_number_of_messages_that_tie_does()
    {
        const int Few = 500, Times = 8;
        var (connectionString, now) = (await shared.Server.NewDatabaseAsync(), Instant.Truncate(DateTimeOffset.UtcNow));
        Sender few, many, equal;
        await using (var tail = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false")))
        {
            (few, many, equal) = (await tail.RegisterAsync(), await tail.RegisterAsync(), await tail.RegisterAsync());
            await tail.StoreAsync(Enumerable.Range(0, Few).Select(i => TestApi.Event(few, now, message: $"message {i}")));
            foreach (var part in Enumerable.Range(0, Few * Times).Chunk(2_000))
            {
                await tail.StoreAsync(part.Select(i => TestApi.Event(many, now, message: $"message {i}")));
                await tail.StoreAsync(part.Select(_ => TestApi.Event(equal, now, message: "message")));
            }
            Assert.InRange(await WorkAsync(tail, many, 0), 1, 2 * Times * await WorkAsync(tail, few, 0));
            Assert.InRange(await WorkAsync(tail, many, 0), 1, 4 * await WorkAsync(tail, equal, 0));
            await AnswersAsync(tail, many);
        }
        await using var folding = await TestApi.StartAsync(connectionString);
        await folding.FoldedAsync();
        var folded = await folding.ScalarAsync<long>("select max(seq_id) from errortracker.mt_events");
        Assert.InRange(await WorkAsync(folding, many, folded), 1, 2 * Times * await WorkAsync(folding, few, folded));
        await AnswersAsync(folding, many);

        Task<long> WorkAsync(TestApi api, Sender sender, long folded)
        {
            var window = new Window(now.AddDays(-1), now.AddDays(1));
            var question = new Question(sender.Id, window, Step.OfMessages, level: null, ("limit", 1));
            return QueryPlan.WorkAsync(api, TopMessages.Sql, question, new Marks(folded, now, folded, folded, 0));
        }

        async Task AnswersAsync(TestApi api, Sender sender)
        {
            var answer = await AskAsync(api, sender, "since=2020-01-01&until=2100-01-01&limit=1");
            Assert.Equal("message 0", answer.Items[0].Message);
        }
    }
}
