using System.Text.Json;
using ErrorTracker.Issues;
using ErrorTracker.Log;
using ErrorTracker.Statistics;
using Marten.Services;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Issues;

/// <summary>Merges and splits over HTTP: who is faster, who repeats, and what is stored.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class DecisionsTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    private MemberRows Rows => _api.Host.Services.GetRequiredService<MemberRows>();

    [Fact]
    public async Task issues_are_merged_and_come_back_as_they_were()
    {
        var app = await WithIssuesAsync(4);
        Assert.Equal((3, "4", ""), Shown(await MergeAsync(app, 3, [4])));
        Assert.Equal((1, "3", ""), Shown(await MergeAsync(app, 1, [3])));
        Assert.Equal((1, "2", "4"), Shown(await MergeAsync(app, 1, [2, 4])));
        Assert.Equal("2→1 3→1 4→1", await MembersAsync(app));

        var split = await SplitAsync(app, 1, [3, 4]);
        Assert.Equal((1, $"3: {app.Key(3)}, {app.Key(4)}"), Shown(split));
        Assert.Equal("2→1 4→3", await MembersAsync(app));
        Assert.Equal((2, $"1: {app.Key(1)}"), Shown(await SplitAsync(app, 1, [1])));
        Assert.Equal("4→3", await MembersAsync(app));
        Assert.Empty(await Rows.CompareAsync(app.Id, CancellationToken.None));
    }

    [Fact]
    public async Task the_history_tells_who_decided_what_the_newest_first()
    {
        var app = await WithIssuesAsync(5);
        await MergeAsync(app, 3, [4]);
        await MergeAsync(app, 1, [3]);
        await MergeAsync(app, 2, [5]);
        await MergeAsync(app, 1, [4]); // is so already
        await SplitAsync(app, 1, [4]);

        var ofMerged = await HistoryAsync(app, 3);
        Assert.Equal(1, ofMerged.Issue);
        Assert.Equal(["split 1: 4", "merged 1: 3", "merged 3: 4"], ofMerged.Items.Select(Shown));
        Assert.All(ofMerged.Items, item => Assert.Equal(Actor.Anonymous, item.By));
        Assert.Equal(["split 1: 4", "merged 3: 4"], (await HistoryAsync(app, 4)).Items.Select(Shown));
        Assert.Equal(["merged 2: 5"], (await HistoryAsync(app, 5)).Items.Select(Shown));
        await _api.GetAsync($"/apps/{app.Id}/issues/6/history", 404);
        Assert.Equal("number", (await _api.GetAsync<Refused>($"/apps/{app.Id}/issues/0/history", 400)).Fields);
    }

    [Fact]
    public async Task a_command_is_done_once_and_answered_again()
    {
        var app = await WithIssuesAsync(4);
        var (merge, split) = (Guid.NewGuid(), Guid.NewGuid());
        await MergeAsync(app, 1, [2]);
        var merged = await MergeAsync(app, 1, [2, 3], id: merge);
        var parts = await SplitAsync(app, 1, [3], id: split);
        await MergeAsync(app, 4, [3]);

        Assert.Equal(Shown(merged), Shown(await MergeAsync(app, 1, [3, 2], id: merge)));
        Assert.Equal(Shown(parts), Shown(await SplitAsync(app, 1, [3], id: split)));
        Assert.Equal("2→1 3→4", await MembersAsync(app));
        var stream = await _api.ScalarAsync<long>(
            $"select version from errortracker.mt_streams where id = '{DecisionStream.Of(app.Id)}'");
        Assert.Equal(4, stream);

        var other = await RefusedAsync(app, "merge", """{"into": 1, "issues": [2], "id": "ID"}""", 409, split);
        Assert.Contains("another command", other.Detail);
        await RefusedAsync(app, "merge", """{"into": 1, "issues": [2], "id": "ID"}""", 409, merge);
    }

    /// <summary>One that is not committed yet keeps the next one waiting, which then knows that it is late.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task of_two_that_decide_at_the_same_moment_one_is_told_to_read_again(bool hasDecided)
    {
        var app = await WithIssuesAsync(4);
        if (hasDecided) await MergeAsync(app, 1, [4]);
        await using var connection = await _api.Database.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        var options = SessionOptions.ForTransaction(transaction);
        options.TenantId = TenantId.Of(app.Id);
        await using (var first = _api.Store.LightweightSession(options))
        {
            var stream = await first.Events.FetchForWriting<IssueMerges>(DecisionStream.Of(app.Id));
            stream.AppendOne(new IssuesMerged(1, [3], [], Actor.Admin, DateTimeOffset.UnixEpoch));
            await first.SaveChangesAsync();
        }
        var second = RefusedAsync(app, "merge", """{"into": 2, "issues": [3]}""", 409);
        await Eventually.Async(async () => await _api.ScalarAsync<bool>(
            $"""
            select exists (
              select from pg_locks as l where not l.granted and {connection.ProcessID} = any(pg_blocking_pids(l.pid)))
            """),
            "the second waits for the first");
        await transaction.CommitAsync();
        Assert.Contains("read them again and repeat", (await second).Detail);
        var late = await RefusedAsync(app, "merge", """{"into": 2, "issues": [3]}""", 409);
        Assert.StartsWith("Issue 3 is part of issue 1", late.Detail);
    }

    /// <summary>Rows that the transaction of the merge has written, in all tables: none of the counters'.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(500)]
    public async Task a_merge_costs_as_much_however_many_events_there_are(int events)
    {
        var app = await WithIssuesAsync(2);
        var now = DateTimeOffset.UtcNow;
        await _api.StoreAsync(Enumerable.Range(0, events).Select(_ => TestApi.Event(app.Sender, now)));
        await _api.FoldedAsync();
        var id = Guid.NewGuid();
        await MergeAsync(app, 1, [2], id: id);
        Assert.Equal(
            "issue_members 1, mt_doc_issue_merges 1, mt_events 1, mt_streams 1",
            await WrittenWithAsync(DecisionStream.EventOf(app.Id, id)));
    }

    [Fact]
    public async Task decisions_are_no_errors()
    {
        var app = await WithIssuesAsync(2);
        await MergeAsync(app, 1, [2]);
        await _api.FoldedAsync();
        var listed = await _api.GetAsync($"/apps/{app.Id}/events");
        Assert.Equal(2, listed.GetProperty("items").GetArrayLength());
        var counted = await _api.GetAsync<LevelCounts>(
            $"/apps/{app.Id}/stats/by-level?since=2020-01-01&until=2100-01-01");
        Assert.Equal([new LevelCount("ERROR", 2)], counted.Items);
    }

    [Fact]
    public async Task a_decision_is_stored_with_its_time_and_what_its_reader_had_seen()
    {
        var app = await WithIssuesAsync(2);
        var at = new DateTimeOffset(2026, 1, 31, 12, 34, 56, 789, TimeSpan.Zero);
        _api.Clock.Now = at;
        var id = Guid.NewGuid();
        await SendAsync(app, "merge", """{"into": 1, "issues": [2], "seen_through": 7, "id": "ID"}""", id);
        _api.Clock.Now = null;
        await using var session = _api.Store.QuerySession(TenantId.Of(app.Id));
        var stored = await session.Events.LoadAsync<IssuesMerged>(DecisionStream.EventOf(app.Id, id));
        Assert.Equal((at, at), (stored!.Timestamp, stored.Data.At));
        Assert.Equal((id, 7L, Actor.Anonymous), (stored.Data.Command, stored.Data.SeenThrough, stored.Data.By));
    }

    [Fact]
    public async Task rows_that_are_lost_or_wrong_are_found_and_made_anew()
    {
        var app = await WithIssuesAsync(4);
        await MergeAsync(app, 1, [2, 3]);
        await _api.ScalarAsync<int>(
            $"""
            with broken as (
              delete from errortracker.issue_members where tenant_id = '{app.Id}' and number = 2 returning 1),
            moved as (
              update errortracker.issue_members set issue = 4 where tenant_id = '{app.Id}' and number = 3 returning 1),
            added as (
              insert into errortracker.issue_members (tenant_id, number, issue) values ('{app.Id}', 4, 1) returning 1)
            select 1
            """);
        Assert.Equal(
            [new(2, null, 1), new(3, 4, 1), new MemberDifference(4, 1, null)],
            await Rows.CompareAsync(app.Id, CancellationToken.None));
        await Rows.RebuildAsync(app.Id, CancellationToken.None);
        await _api.ScalarAsync<int>(
            $$"""
            with emptied as (
              update errortracker.mt_doc_issue_merges set data = jsonb_set(data, '{Parents}', '{"2": 1}')
              where tenant_id = '{{app.Id}}' returning 1)
            select 1 from emptied
            """);
        Assert.Equal([new MemberDifference(3, null, 1)], await Rows.CompareAsync(app.Id, CancellationToken.None));
        await Rows.RebuildAsync(app.Id, CancellationToken.None);
        await SplitAsync(app, 1, [3]);
        await MergeAsync(app, 1, [3]);
        Assert.Empty(await Rows.CompareAsync(app.Id, CancellationToken.None));
        Assert.Equal("2→1 3→1", await MembersAsync(app));
    }

    [Fact]
    public async Task what_is_wrong_with_a_merge_is_named()
    {
        var app = await WithIssuesAsync(3);
        foreach (var (body, fields) in new[]
        {
            ("""{"into": 1, "issues": [9]}""", "issues"),
            ("""{"into": 9, "issues": [1, 8]}""", "into,issues"),
            ("""{"into": 1, "issues": [1, 2]}""", "issues"),
            ("""{"into": 1, "issues": []}""", "issues"),
            ("""{"into": 1}""", "issues"),
            ("""{"issues": [2, 0], "into": 1.5}""", "into,issues"),
            ("""{"into": "1", "issues": 2, "id": "no", "seen_through": -1, "more": 1}""",
                "id,into,issues,more,seen_through"),
            ($$"""{"into": 1, "issues": [{{string.Join(',', Enumerable.Range(2, 1_001))}}]}""", "issues"),
            ("""{"into": 1, "into": 2, "issues": [3]}""", "body"),
            ("[]", "body"),
            ("nothing", "body"),
            ("""{"\ud800": 1}""", "body"),
        })
            Assert.Equal(fields, (await RefusedAsync(app, "merge", body, 400)).Fields);
        await RefusedAsync(app with { Sender = new(int.MaxValue, "") }, "merge", """{"into": 1, "issues": [2]}""", 404);
        await RefusedAsync(app, "merge", new string(' ', 300_000), 413);
        await _api.SendAsync(
            HttpMethod.Post, $"/apps/{app.Id}/issues/merge", 415, """{"into": 1, "issues": [2]}""",
            ("Content-Type", "text/plain"));
        Assert.Equal("", await MembersAsync(app));
    }

    [Fact]
    public async Task what_is_wrong_with_a_split_is_named()
    {
        var app = await WithIssuesAsync(4);
        await MergeAsync(app, 1, [2, 3]);
        foreach (var (issue, body) in new[]
        {
            (1, """{"keys": ["none"]}"""),
            (1, $$"""{"keys": ["{{app.Key(4)}}"]}"""),
            (1, JsonSerializer.Serialize(new { keys = app.Keys[..3] })),
            (4, $$"""{"keys": ["{{app.Key(4)}}"]}"""),
            (1, """{"keys": ["\u0000"]}"""),
            (1, """{"keys": ["\ud800"]}"""),
            (1, """{"keys": []}"""),
        })
            Assert.Equal("keys", (await RefusedAsync(app, $"{issue}/split", body, 400)).Fields);
        Assert.Equal("keys,number", (await RefusedAsync(app, "x/split", "{}", 400)).Fields);
        await RefusedAsync(app, "9/split", """{"keys": ["none"]}""", 404);
        await RefusedAsync(app, "99999999999/split", """{"keys": ["none"]}""", 404);
        await RefusedAsync(app, "2/split", $$"""{"keys": ["{{app.Key(2)}}"]}""", 409);
    }

    private Task<SomeIssues> WithIssuesAsync(int count) => SomeIssues.AddAsync(_api, count);

    private async Task<MergedIssues> MergeAsync(SomeIssues app, int into, int[] issues, Guid? id = null) =>
        TestApi.Read<MergedIssues>(await SendAsync(app, "merge", JsonSerializer.Serialize(new { into, issues, id })));

    private async Task<SplitIssues> SplitAsync(SomeIssues app, int issue, int[] numbers, Guid? id = null) =>
        TestApi.Read<SplitIssues>(await SendAsync(
            app, $"{issue}/split", JsonSerializer.Serialize(new { keys = numbers.Select(app.Key), id })));

    private Task<DecisionList> HistoryAsync(SomeIssues app, int issue) =>
        _api.GetAsync<DecisionList>($"/apps/{app.Id}/issues/{issue}/history");

    private async Task<Refused> RefusedAsync(SomeIssues app, string call, string body, int status, Guid? id = null) =>
        TestApi.Read<Refused>(await SendAsync(app, call, body, id, status));

    /// <param name="app">Whose issues they are.</param>
    /// <param name="call">What follows <c>issues/</c>.</param>
    /// <param name="body">JSON, in which ID stands for <paramref name="id"/>.</param>
    /// <param name="id">Of the command.</param>
    /// <param name="expected">The status.</param>
    private Task<JsonElement> SendAsync(
        SomeIssues app, string call, string body, Guid? id = null, int expected = 200) =>
        _api.SendAsync(HttpMethod.Post, $"/apps/{app.Id}/issues/{call}", expected, body.Replace("ID", $"{id}"));

    private Task<string> MembersAsync(SomeIssues app) => _api.ScalarAsync<string>(
        $"""
        select coalesce(string_agg(m.number || '→' || m.issue, ' ' order by m.number), '')
        from errortracker.issue_members as m where m.tenant_id = '{app.Id}'
        """);

    /// <summary>How many rows of which tables the transaction has written that wrote an event.</summary>
    private async Task<string> WrittenWithAsync(Guid id)
    {
        var counts = await _api.ScalarAsync<string>(
            $"""
            select string_agg(format(
              'select %L as name, count(*) as n from errortracker.%I
               where xmin = (select e.xmin from errortracker.mt_events as e where e.id = %L)',
              tablename, tablename, '{id}'), ' union all ')
            from pg_tables where schemaname = 'errortracker'
            """);
        return await _api.ScalarAsync<string>(
            $"select string_agg(name || ' ' || n, ', ' order by name) from ({counts}) as counted where n > 0");
    }

    private static (int, string, string) Shown(MergedIssues merged) =>
        (merged.Issue, string.Join(',', merged.Merged), string.Join(',', merged.Already));

    private static (int, string) Shown(SplitIssues split) =>
        (split.Issue, string.Join("; ", split.Split.Select(part => $"{part.Issue}: {string.Join(", ", part.Keys)}")));

    private static string Shown(DecisionItem item) => $"{item.Type} {item.Issue}: {string.Join(',', item.Issues)}";
}
