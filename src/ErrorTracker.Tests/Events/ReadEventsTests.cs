using System.Text.Json;

namespace ErrorTracker.Tests.Events;

[Collection(nameof(OnPostgres))]
public sealed class ReadEventsTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 10, 0, 0, TimeSpan.Zero);

    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task pages_are_newest_first_and_the_last_one_has_no_next()
    {
        var sender = await SevenEventsAsync();
        Assert.Equal(("6,5,4", 3), await PageAsync(sender, "limit=3"));
        Assert.Equal(("3,2,1", 6), await PageAsync(sender, "limit=3&offset=3"));
        Assert.Equal(("0", null), await PageAsync(sender, "limit=3&offset=6"));
        Assert.Equal(("", null), await PageAsync(sender, "limit=3&offset=7"));
        Assert.Equal(("6,5,4,3,2,1,0", null), await PageAsync(sender, "limit=7"));
        Assert.Equal(("", null), await PageAsync(sender, "offset=2147483647"));
    }

    [Fact]
    public async Task events_of_one_instant_are_listed_in_log_order_the_last_first()
    {
        var sender = await _api.RegisterAsync();
        for (var i = 0; i < 3; i++) await _api.StoreAsync([TestApi.Event(sender, Start, message: $"{i}")]);
        Assert.Equal(("2,1,0", null), await PageAsync(sender, ""));
    }

    [Fact]
    public async Task a_list_is_filtered_by_level_and_half_open_window()
    {
        var sender = await SevenEventsAsync();
        Assert.Equal(("6,4,2,0", null), await PageAsync(sender, "level=warn"));
        Assert.Equal(("3,2", null), await PageAsync(sender, "since=2026-05-04T10:00:02Z&until=2026-05-04T10:00:04Z"));
        Assert.Equal(("2", null), await PageAsync(sender, "since=2026-05-04T10:00:02Z&until=2026-05-04T10:00:04Z&level=WARNING"));
        Assert.Equal(("6,5", null), await PageAsync(sender, "since=2026-05-04T12:00:05%2B02:00"));
        Assert.Equal(("0", null), await PageAsync(sender, "until=2026-05-04T10:00:01Z"));
    }

    [Fact]
    public async Task an_application_sees_its_own_events_only()
    {
        var (mine, other) = (await SevenEventsAsync(), await _api.RegisterAsync());
        Assert.Equal(("", null), await PageAsync(other, ""));
        var id = (await _api.GetAsync($"/apps/{mine.Id}/events")).GetProperty("items")[0].GetProperty("id").GetString();
        await _api.GetAsync($"/apps/{mine.Id}/events/{id}");
        await _api.GetAsync($"/apps/{other.Id}/events/{id}", expected: 404);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=51", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=", "limit")]
    [InlineData("offset=-1", "offset")]
    [InlineData("offset=2147483648", "offset")]
    [InlineData("level=99", "level")]
    [InlineData("since=x", "since")]
    [InlineData("until=2026-13-01", "until")]
    [InlineData("since=2026-01-02&until=2026-01-02", "since")]
    [InlineData("limit=0&offset=-1&level=x", "level,limit,offset")]
    public async Task each_wrong_filter_is_named(string query, string fields)
    {
        var sender = await _api.RegisterAsync();
        var refusal = await _api.GetAsync($"/apps/{sender.Id}/events?{query}", expected: 400);
        Assert.Equal(fields, string.Join(',', refusal.GetProperty("errors").EnumerateObject().Select(m => m.Name).Order()));
    }

    [Theory]
    [InlineData("/apps/2000000000/events")]
    [InlineData("/apps/2000000000/events/01900000-0000-7000-8000-000000000000")]
    public async Task an_unknown_application_is_not_found(string url) => await _api.GetAsync(url, expected: 404);

    [Theory]
    [InlineData("01900000-0000-7000-8000-000000000000")]
    [InlineData("nothing")]
    public async Task an_unknown_event_is_not_found(string id) => await _api.GetAsync($"/apps/{(await _api.RegisterAsync()).Id}/events/{id}", expected: 404);

    private async Task<Sender> SevenEventsAsync()
    {
        var sender = await _api.RegisterAsync();
        await _api.StoreAsync(Enumerable.Range(0, 7).Select(i => TestApi.Event(sender, Start.AddSeconds(i), i % 2 == 0 ? "WARNING" : "INFO", $"{i}")));
        return sender;
    }

    private async Task<(string Messages, int? Next)> PageAsync(Sender sender, string query)
    {
        var page = await _api.GetAsync($"/apps/{sender.Id}/events?{query}");
        return (string.Join(',', page.GetProperty("items").EnumerateArray().Select(i => i.GetProperty("message").GetString())), page.GetProperty("next_offset").Deserialize<int?>());
    }
}
