using System.Text.Json;
using ErrorTracker.Commit;
using ErrorTracker.Events;
using ErrorTracker.Log;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Events;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ListEventsTests(SharedApi shared)
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
        var id = (await _api.GetAsync<EventPage>($"/apps/{mine.Id}/events")).Items[0].Id;
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
        Assert.Equal(fields, (await _api.GetAsync<Refused>($"/apps/{sender.Id}/events?{query}", expected: 400)).Fields);
    }

    [Theory]
    [InlineData("/apps/2000000000/events")]
    [InlineData("/apps/2000000000/events/01900000-0000-7000-8000-000000000000")]
    public async Task an_unknown_application_is_not_found(string url) => await _api.GetAsync(url, expected: 404);

    [Theory]
    [InlineData("01900000-0000-7000-8000-000000000000")]
    [InlineData("nothing")]
    public async Task an_unknown_event_is_not_found(string id) =>
        await _api.GetAsync($"/apps/{(await _api.RegisterAsync()).Id}/events/{id}", expected: 404);

    /// <summary>
    /// 20 events of nearly 1 MiB: a page ends before it is longer than 8 MiB, and the next one begins where it ended.
    /// </summary>
    [Fact]
    public async Task a_page_ends_at_8_mib_and_the_next_goes_on_after_it()
    {
        const int Events = 20;
        var sender = await _api.RegisterAsync();
        for (var i = 0; i < Events; i++) await _api.StoreAsync([Large(sender, Start.AddSeconds(i), $"{i}", 1_000_000)]);
        var (messages, pages) = (new List<string>(), 0);
        for (int? offset = 0; offset is not null; pages++)
        {
            var (length, page) = await TextAsync<EventPage>($"/apps/{sender.Id}/events?limit=50&offset={offset}");
            Assert.InRange(length, 1, EventCursor.MostBytes);
            messages.AddRange(page.Items.Select(item => item.Message));
            Assert.All(page.Items, item => Assert.InRange(item.Stack!.Utf8.Length, 1_000_000, 1_000_100));
            offset = page.NextOffset;
            if (offset is not null) Assert.Equal(messages.Count, offset);
        }
        Assert.Equal(Enumerable.Range(0, Events).Reverse().Select(i => $"{i}"), messages);
        Assert.Equal(3, pages);
        Assert.Equal(0, _api.Host.Services.GetRequiredService<PageMemory>().Taken);

        for (var (next, read) = ("0", 0); read < Events;)
        {
            var (length, feed) = await TextAsync<EventFeed>($"/apps/{sender.Id}/feed?limit=50&after={next}");
            Assert.InRange(length, 1, EventCursor.MostBytes);
            foreach (var item in feed.Items) Assert.Equal($"{read++}", item.Message);
            next = feed.Next;
        }
    }

    /// <summary>
    /// Its size alone is no reason to leave an event out: with the largest numbers that are taken 1 MiB becomes more.
    /// </summary>
    [Fact]
    public async Task a_first_event_is_given_however_large_it_is()
    {
        var sender = await _api.RegisterAsync();
        await _api.StoreAsync([
            Large(sender, Start, "large", (int)EventCursor.MostBytes + 1),
            Large(sender, Start.AddSeconds(1), "small", 10)]);
        Assert.Equal(("small", 1), await PageAsync(sender, ""));
        Assert.Equal(("large", null), await PageAsync(sender, "offset=1"));
    }

    /// <summary>
    /// As if slow readers held what their application may have. Others are not concerned, and all is well when they
    /// have read.
    /// </summary>
    [Fact]
    public async Task while_slow_readers_hold_the_memory_of_pages_the_answer_is_503()
    {
        var (sender, other) = (await SevenEventsAsync(), await SevenEventsAsync());
        var page = _api.Host.Services.GetRequiredService<PageMemory>().NewPage(sender.Id);
        Assert.True(page.TryReserve(PageMemory.Most / 2));
        var id = (await _api.GetAsync<EventPage>($"/apps/{other.Id}/events")).Items[0].Id;
        foreach (var path in new[] { "events", "feed", $"events/{id}" }) await _api.GetAsync($"/apps/{other.Id}/{path}");
        foreach (var path in new[] { "events", "feed" })
        {
            using var refused = await _api.Host.Server.CreateClient().GetAsync($"/apps/{sender.Id}/{path}");
            Assert.Equal((503, "1"), ((int)refused.StatusCode, string.Join(',', refused.Headers.GetValues("Retry-After"))));
        }
        page.Dispose();
        Assert.Equal("6,5,4,3,2,1,0", (await PageAsync(sender, "")).Messages);
    }

    private static PendingEvent Large(Sender sender, DateTimeOffset receivedAt, string message, int size)
    {
        var error = new ErrorOccurred(receivedAt, "ERROR", message, Stack(size), null);
        var id = Guid.CreateVersion7();
        return new(sender.Id, id, MayRepeat: false, receivedAt, error.ToStored(), EventKinds.ErrorOccurred);
    }

    private static RawJson Stack(int size) =>
        new(System.Text.Encoding.UTF8.GetBytes($$"""{"s":"{{new string('s', size)}}"}"""));

    private async Task<(long Length, T Page)> TextAsync<T>(string path)
    {
        var text = await _api.Host.Server.CreateClient().GetStringAsync(path);
        return (text.Length, TestApi.Read<T>(JsonDocument.Parse(text).RootElement));
    }

    private async Task<Sender> SevenEventsAsync()
    {
        var sender = await _api.RegisterAsync();
        await _api.StoreAsync(
            from i in Enumerable.Range(0, 7)
            select TestApi.Event(sender, Start.AddSeconds(i), i % 2 == 0 ? "WARNING" : "INFO", $"{i}"));
        return sender;
    }

    private async Task<(string Messages, int? Next)> PageAsync(Sender sender, string query)
    {
        var page = await _api.GetAsync<EventPage>($"/apps/{sender.Id}/events?{query}");
        return (string.Join(',', page.Items.Select(item => item.Message)), page.NextOffset);
    }
}
