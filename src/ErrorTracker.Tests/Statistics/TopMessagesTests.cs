namespace ErrorTracker.Tests.Statistics;

[Collection(nameof(OnPostgres))]
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
            TestApi.Event(sender, Start, message: "e"), TestApi.Event(sender, Start, message: "c"), TestApi.Event(sender, Start, message: "d")]);
        foreach (var folded in new[] { false, true })
        {
            if (folded) await shared.Api.FoldedAsync();
            var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/top-messages?since=2026-05-04&until=2026-05-05&{options}");
            Assert.Equal(expected, string.Join(' ', answer.GetProperty("items").EnumerateArray().Select(m => $"{m.GetProperty("message").GetString()}={m.GetProperty("count")}")));
            Assert.Equal("2026-05-04T12:00:00Z", answer.GetProperty("items")[0].GetProperty("last_seen").GetString());
        }
    }

    [Fact]
    public async Task the_limit_is_ten_if_absent_and_part_of_the_answer()
    {
        var sender = await shared.Api.RegisterAsync();
        await shared.Api.StoreAsync(Enumerable.Range(0, 12).Select(i => TestApi.Event(sender, Start, message: $"m{i}")));
        var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/top-messages?since=2026-05-04&until=2026-05-05");
        Assert.Equal((10, 10), (answer.GetProperty("limit").GetInt32(), answer.GetProperty("items").GetArrayLength()));
    }

    [Fact]
    public async Task a_message_as_long_as_the_contract_allows_is_counted()
    {
        var (sender, text) = (await shared.Api.RegisterAsync(), string.Concat(Enumerable.Range(0, 2048).Select(i => $"é{i % 1000:000}")));
        await shared.Api.ReportAsync(sender, message: text);
        await shared.Api.FoldedAsync();
        var answer = await shared.Api.GetAsync($"/apps/{sender.Id}/stats/top-messages?since=2020-01-01&until=2100-01-01");
        Assert.Equal(text, answer.GetProperty("items")[0].GetProperty("message").GetString());
    }
}
