using ErrorTracker.Events;
using Npgsql;

namespace ErrorTracker.Tests.Events;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ReadFeedTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 10, 0, 0, TimeSpan.Zero);

    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task a_reader_gets_each_event_once_in_the_order_of_their_commits()
    {
        var (sender, other) = (await _api.RegisterAsync(), await _api.RegisterAsync());
        for (var i = 0; i < 5; i++)
            await _api.StoreAsync([TestApi.Event(sender, Start.AddSeconds(-i), message: $"{i}"), TestApi.Event(other, Start)]);
        await MarkedAsync(_api);

        var (messages, next) = await ReadAsync(sender, "");
        Assert.Equal("0,1,2,3,4", messages);
        Assert.Equal(("", next), await ReadAsync(sender, $"after={next}"));
        await _api.StoreAsync([TestApi.Event(sender, Start.AddDays(-1), message: "late")]);
        await MarkedAsync(_api);
        Assert.Equal("late", (await ReadAsync(sender, $"after={next}")).Messages);

        var pages = new List<string>();
        for (string at = "0", before = ""; at != before;)
        {
            (var page, at) = await ReadAsync(sender, $"after={before = at}&limit=2");
            if (page.Length > 0) pages.Add(page);
        }
        Assert.Equal(["0,1", "2,3", "4,late"], pages);
    }

    [Fact]
    public async Task latest_gives_no_events_but_those_to_come()
    {
        var sender = await _api.RegisterAsync();
        await _api.ReportAsync(sender, message: "before");
        await MarkedAsync(_api);
        var (messages, next) = await ReadAsync(sender, "after=latest");
        Assert.Equal("", messages);
        await _api.ReportAsync(sender, message: "after");
        await MarkedAsync(_api);
        Assert.Equal("after", (await ReadAsync(sender, $"after={next}")).Messages);
    }

    [Fact]
    public async Task an_item_is_that_of_the_list()
    {
        var sender = await _api.RegisterAsync();
        await _api.PostEventAsync(sender,
            """
            {"event_id":"7D3F1F0E6F3B4F649A550D6F7C1F2A10","occurred_at":"2026-01-31T12:00:00.123456Z","level":"warn",
             "message":"é\"\u0007","stack":{"n":1.50},"tags":{"a":"b"}}
            """, 201);
        await MarkedAsync(_api);
        var item = (await _api.GetAsync($"/apps/{sender.Id}/feed")).GetProperty("items")[0];
        var listed = (await _api.GetAsync($"/apps/{sender.Id}/events")).GetProperty("items")[0];
        var alone = await _api.GetAsync($"/apps/{sender.Id}/events/{item.GetProperty("id").GetString()}");
        Assert.Equal(listed.GetRawText(), item.GetRawText());
        Assert.Equal(item.GetRawText(), alone.GetRawText());
    }

    [Fact]
    public async Task an_application_without_events_has_an_empty_feed_whose_next_stays()
    {
        var sender = await _api.RegisterAsync();
        var (messages, next) = await ReadAsync(sender, "");
        Assert.Equal("", messages);
        Assert.Equal(("", next), await ReadAsync(sender, $"after={next}"));
    }

    /// <summary>So many that one answer does not search them all; they take no more than their numbers here.</summary>
    [Fact]
    public async Task a_reader_passes_over_the_events_of_others_and_over_numbers_that_nobody_has()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender, message: "first");
        await api.ScalarAsync<long>("select setval('errortracker.mt_events_sequence', 500000)");
        await api.ReportAsync(sender, message: "last");
        await MarkedAsync(api);
        var (messages, answers) = (new List<string>(), 0);
        for (string at = "0", before = ""; at != before; answers++)
        {
            var feed = await api.GetAsync<EventFeed>($"/apps/{sender.Id}/feed?after={before = at}");
            at = feed.Next;
            if (Messages(feed) is { Length: > 0 } found) messages.Add(found);
        }
        Assert.Equal(["first", "last"], messages);
        Assert.InRange(answers, 4, 6);
    }

    /// <summary>
    /// Another transaction holds a number of the sequence, as a commit that is on its way does: what comes after it
    /// waits for it.
    /// </summary>
    [Fact]
    public async Task an_event_that_is_still_being_written_holds_back_those_after_it()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender, message: "first");
        await MarkedAsync(api);
        var next = (await api.GetAsync<EventFeed>($"/apps/{sender.Id}/feed")).Next;

        await using var slow = await api.Database.OpenConnectionAsync();
        await using var transaction = await slow.BeginTransactionAsync();
        await using (var write = new NpgsqlCommand(
            """
            insert into errortracker.mt_events
              (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
            select nextval('errortracker.mt_events_sequence'), gen_random_uuid(), stream_id, version + 1000,
              data || '{"message":"slow"}', type, timestamp, tenant_id, mt_dotnet_type, false
            from errortracker.mt_events limit 1
            """, slow)) await write.ExecuteNonQueryAsync();
        await api.ReportAsync(sender, message: "fast");
        Assert.Equal("", Messages(await api.GetAsync<EventFeed>($"/apps/{sender.Id}/feed?after={next}")));
        await transaction.CommitAsync();
        await MarkedAsync(api);
        Assert.Equal("slow,fast", Messages(await api.GetAsync<EventFeed>($"/apps/{sender.Id}/feed?after={next}")));
    }

    [Theory]
    [InlineData("after=", "after")]
    [InlineData("after=x", "after")]
    [InlineData("after=-1", "after")]
    [InlineData("after=%2B1", "after")]
    [InlineData("after=99999999999999999999", "after")]
    [InlineData("after=9223372036854775807", "after")]
    [InlineData("limit=51&after=LATEST&since=2026-01-01", "after,limit,since")]
    public async Task each_wrong_parameter_is_named(string query, string fields)
    {
        var refusal = await _api.GetAsync<Refused>($"/apps/{(await _api.RegisterAsync()).Id}/feed?{query}", expected: 400);
        Assert.Equal(fields, refusal.Fields);
    }

    [Fact]
    public async Task an_unknown_application_is_not_found() => await _api.GetAsync("/apps/2000000000/feed", expected: 404);

    /// <summary>The daemon has found that nothing of what the log holds now is still being written.</summary>
    private static Task MarkedAsync(TestApi api) => Eventually.Async(async () => await api.ScalarAsync<bool>(
        """
        select (select max(seq_id) from errortracker.mt_events)
          <= coalesce((select last_seq_id from errortracker.mt_event_progression where name = 'HighWaterMark'), 0)
        """), "the high-water mark has reached the end of the log");

    private async Task<(string Messages, string Next)> ReadAsync(Sender sender, string query)
    {
        var feed = await _api.GetAsync<EventFeed>($"/apps/{sender.Id}/feed?{query}");
        return (Messages(feed), feed.Next);
    }

    private static string Messages(EventFeed feed) => string.Join(',', feed.Items.Select(item => item.Message));
}
