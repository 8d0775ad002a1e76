using ErrorTracker.Issues;

namespace ErrorTracker.Tests.Issues;

/// <summary>A list is read to its end in the order of its first page, whatever arrives meanwhile.</summary>
[Collection(nameof(OnPostgres))]
public sealed class IssueCursorTests(SharedApi shared)
{
    private static readonly string[] Sorts = ["last_seen", "first_seen", "count"];

    /// <summary>Between pages events arrive for all issues and for new ones, and are folded and closed, or not.</summary>
    [Theory]
    [InlineData(41)]
    [InlineData(42)]
    public async Task each_issue_of_the_first_moment_is_listed_once_and_in_its_order(int seed)
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed);
        var random = new RandomErrors(seed);
        await log.SendAsync(75);
        await log.MoveMarkAsync();
        await log.FoldAsync(60);
        await log.CloseAsync();
        for (var round = 0; round < 3; round++)
            foreach (var sort in Sorts)
                foreach (var sender in log.Senders)
                {
                    var url = $"/apps/{sender.Id}/issues?sort={sort}";
                    var expected = (await log.Api.GetAsync<IssuePage>($"{url}&limit=100")).Items.Select(item => item.Number);
                    var listed = new List<int>();
                    string? cursor = null;
                    do
                    {
                        var page = await log.Api.GetAsync<IssuePage>(
                            $"{url}&limit={2 + random.Next(4)}{(cursor is null ? "" : $"&cursor={cursor}")}");
                        listed.AddRange(page.Items.Select(item => item.Number));
                        cursor = page.NextCursor;
                        await ArriveAsync(log, sender, random);
                    }
                    while (cursor is not null);
                    Assert.True(expected.SequenceEqual(listed),
                        $"{sort} {round}: {string.Join(' ', expected)} was listed as {string.Join(' ', listed)}");
                }
    }

    /// <summary>An event that is being written while others of higher numbers are read is none that was seen.</summary>
    [Theory]
    [InlineData("last_seen")]
    [InlineData("count")]
    [InlineData("first_seen")]
    public async Task an_event_in_flight_as_the_first_page_is_read_moves_no_issue(string sort)
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 43, StoredFacts.Right);
        var sender = log.Senders[0];
        await log.SendAsync(75);
        await log.MoveMarkAsync();
        await log.FoldAsync(30);
        await log.CloseAsync();
        var url = $"/apps/{sender.Id}/issues?sort={sort}";
        var all = (await log.Api.GetAsync<IssuePage>($"{url}&limit=100")).Items;
        var last = all[^1];

        await using var connection = await log.Api.Database.OpenConnectionAsync();
        await using var writing = await connection.BeginTransactionAsync();
        await using (var copies = connection.CreateCommand())
        {
            copies.CommandText =
                $"""
                insert into errortracker.mt_events
                  (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived)
                select nextval('errortracker.mt_events_sequence'), gen_random_uuid(), e.stream_id, e.version + 100000 + n,
                  e.data, e.type, timestamptz '{RandomErrors.Start.AddDays(4):O}', e.tenant_id, e.mt_dotnet_type,
                  e.headers, false
                from (
                  select * from errortracker.mt_events
                  where tenant_id = '{sender.Id}' and headers->>'key' = '{last.Keys[0]}' limit 1) as e,
                  generate_series(1, 100) as n
                """;
            await copies.ExecuteNonQueryAsync();
        }
        await log.Api.StoreAsync([RandomErrors.Event(sender, RandomErrors.Start.AddDays(4), "INFO", "paper jam")]);
        var expected = (await log.Api.GetAsync<IssuePage>($"{url}&limit=100")).Items.Select(item => item.Number);
        var page = await log.Api.GetAsync<IssuePage>($"{url}&limit=3");
        await writing.CommitAsync();

        var listed = page.Items.Select(item => item.Number).ToList();
        while (page.NextCursor is { } cursor)
        {
            page = await log.Api.GetAsync<IssuePage>($"{url}&limit=3&cursor={cursor}");
            listed.AddRange(page.Items.Select(item => item.Number));
        }
        Assert.Equal(expected, listed);
    }

    [Fact]
    public void a_cursor_is_read_as_it_was_written()
    {
        IssueCursor[] cursors =
        [
            new(IssueSort.Count, 0, [], DateTimeOffset.MinValue, 0, 1),
            new(IssueSort.LastSeen, 900, [3, 4, 5, 7, 899, 900], RandomErrors.Start, long.MaxValue / 4, int.MaxValue),
            new(IssueSort.FirstSeen, 1_000_000_000_000, [.. Enumerable.Range(1, 200).Select(i => 3L * i)],
                DateTimeOffset.MaxValue, 7, 7),
        ];
        foreach (var cursor in cursors)
        {
            var errors = new Dictionary<string, string[]>();
            var read = IssueCursor.Optional(cursor.ToText(), cursor.Sort, errors);
            Assert.Empty(errors);
            Assert.Equal(cursor with { Unseen = read!.Unseen }, read);
            Assert.Equal(cursor.Unseen, read.Unseen);
        }
    }

    /// <summary>However many places were being written, a cursor fits into a query; the newest places count.</summary>
    [Fact]
    public void a_cursor_stays_short()
    {
        var scattered = Enumerable.Range(1, IssueCursor.MostUnseen).Select(i => 7L * i).ToList();
        var cursor = new IssueCursor(IssueSort.Count, long.MaxValue - 1, scattered, DateTimeOffset.MaxValue, 1, 1);
        var near = cursor with { SeenThrough = 1_000_000 };
        Assert.InRange(near.ToText().Length, 1, 4_500);
        var read = IssueCursor.Optional(near.ToText(), IssueSort.Count, []);
        Assert.Equal(scattered.TakeLast(300), read!.Unseen);
    }

    [Theory]
    [InlineData("count|1|1|1|1")]
    [InlineData("count|1|1|1|1|1")]
    [InlineData("count|1|1|1|1|0.1001")]
    [InlineData("count|1|1|1|1|0.600,0.600")]
    [InlineData("count|1|1|1|1|2.1")]
    [InlineData("count|1|1|1|1|0.-1")]
    [InlineData("count|1|1|1|2147483648|")]
    [InlineData("count|1|3155378976000000000|1|1|")]
    [InlineData("count|-1|1|1|1|")]
    [InlineData("last_seen|1|1|1|1|")]
    [InlineData("level|1|1|1|1|")]
    [InlineData("count|1|1|9223372036854775807|1|")]
    [InlineData("")]
    public void what_is_no_cursor_of_the_sort_is_named(string text)
    {
        var errors = new Dictionary<string, string[]>();
        var encoded = System.Buffers.Text.Base64Url.EncodeToString(System.Text.Encoding.ASCII.GetBytes(text));
        Assert.Null(IssueCursor.Optional(encoded, IssueSort.Count, errors));
        Assert.Equal(["cursor"], errors.Keys);
    }

    /// <summary>Some events of now, then perhaps a fold, and perhaps the closing of minutes.</summary>
    private static async Task ArriveAsync(UnfoldedLog log, Sender sender, RandomErrors random)
    {
        var newest = await log.Api.ScalarAsync<DateTime>("select max(timestamp) from errortracker.mt_events");
        await log.Api.StoreAsync(Enumerable.Range(0, random.Next(4)).Select(i => RandomErrors.Event(
            sender, new DateTimeOffset(newest).AddSeconds(random.Next(40) - 15), random.Level(),
            random.Next(5) == 0 ? $"new {Guid.NewGuid():N} of {random.Word()}" : random.Message(), random.Release(), "",
            random.OneOf(Enum.GetValues<StoredFacts>()))));
        if (random.Next(2) == 0) await log.MoveMarkAsync();
        if (random.Next(3) == 0) await log.FoldAsync(50);
        if (random.Next(3) == 0) await log.CloseAsync();
    }
}
