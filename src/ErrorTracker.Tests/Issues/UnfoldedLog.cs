using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Issues;
using ErrorTracker.Projections;

namespace ErrorTracker.Tests.Issues;

/// <summary>A log of two applications on a host that does not fold.</summary>
internal sealed class UnfoldedLog(TestApi api, Sender[] senders, RandomErrors random) : IAsyncDisposable
{
    private readonly Dictionary<int, int>[] _members = [.. senders.Select(_ => new Dictionary<int, int>())];
    private readonly ProjectionShard _counters = ProjectionShard.Of(CountersProjection.Definition);
    private long _folded;

    public TestApi Api => api;

    public Sender[] Senders => senders;

    /// <param name="shared">Where its server is.</param>
    /// <param name="seed">Of all that is chosen by chance.</param>
    /// <param name="stored">What is stored beside events; null: by chance.</param>
    public static async Task<UnfoldedLog> StartAsync(SharedApi shared, int seed, StoredFacts? stored = null)
    {
        var api = await TestApi.StartAsync(
            await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        return new(api, [await api.RegisterAsync(), await api.RegisterAsync()], new(seed, stored));
    }

    public ValueTask DisposeAsync() => api.DisposeAsync();

    /// <summary>Events of both applications, one after the other and in turns; later ones are of more kinds.</summary>
    public async Task SendAsync(int count)
    {
        var kinds = 5 + (int)Math.Min(20, await EndAsync() / 50);
        for (var sent = 0; sent < count; sent += 25)
            foreach (var sender in senders) await api.StoreAsync(random.Take(sender, Math.Min(25, count - sent), kinds));
    }

    /// <summary>The mark reaches the end of the log.</summary>
    public async Task MoveMarkAsync() => await ExecuteAsync(
        """
        insert into errortracker.mt_event_progression (name, last_seq_id)
        select 'HighWaterMark', max(seq_id) from errortracker.mt_events
        on conflict (name) do update set last_seq_id = excluded.last_seq_id
        """);

    /// <summary>All of the log, in ranges of this length.</summary>
    public async Task FoldAsync(int length)
    {
        for (var end = await EndAsync(); _folded < end;)
        {
            var ceiling = Math.Min(end, _folded + length);
            Assert.True(await _counters.FoldAsync(api.Database, _folded, ceiling, CancellationToken.None));
            _folded = ceiling;
        }
    }

    /// <summary>All of the log and more in one range, by the statement for ranges that are not live.</summary>
    public async Task FoldAtOnceAsync()
    {
        Assert.True(await _counters.FoldAsync(api.Database, 0, 30_000, CancellationToken.None));
        _folded = await EndAsync();
    }

    /// <summary>The next event of the log.</summary>
    public async Task FoldOneAsync() =>
        Assert.True(await _counters.FoldAsync(api.Database, _folded, ++_folded, CancellationToken.None));

    public Task CloseAsync() => api.ClosedAsync();

    /// <summary>The tables keep their rows, which nobody may read now. The next fold begins at the start.</summary>
    public Task LoseProgressAsync()
    {
        _folded = 0;
        return ExecuteAsync($"delete from errortracker.mt_event_progression where name = '{_counters.Row}'");
    }

    public async Task RebuildAsync(int partSize)
    {
        var rebuild = new Rebuild(CountersProjection.Definition, api.Database) { PartSize = partSize };
        Assert.True(await rebuild.RunAsync(_ => { }, CancellationToken.None));
        _folded = await EndAsync();
    }

    public async Task<IReadOnlyList<Difference>> VerifyAsync() =>
        (await new Verify(api.Database).RunAsync(CountersProjection.Definition, null, null, 10, CancellationToken.None))
        .Differences;

    public async Task<IssueOracle> OracleAsync(int app) =>
        new(await LoggedEvent.ReadAsync(api, senders[app]), await MarkAsync()) { Members = _members[app] };

    public async Task AssertAsync(string state, bool hasTexts, int windows = 3)
    {
        for (var app = 0; app < senders.Length; app++)
            try
            {
                await new IssueRecount(api, senders[app], await OracleAsync(app), random).AssertAsync(windows, hasTexts);
            }
            catch (Exception e)
            {
                Assert.Fail($"When {state}, application {app}: {e}");
            }
    }

    /// <summary>Merges issues of both applications, by chance.</summary>
    public async Task MergeAsync(int times)
    {
        for (var app = 0; app < senders.Length; app++)
            for (var i = 0; i < times; i++)
            {
                var issues = (await OracleAsync(app)).Issues.ToArray();
                var (into, other) = (random.OneOf(issues), random.OneOf(issues));
                if (into == other) continue;
                await PostAsync(app, "merge", new { into, issues = new[] { other } });
                foreach (var (number, issue) in _members[app].ToList())
                    if (issue == other) _members[app][number] = into;
                _members[app][other] = into;
            }
    }

    /// <summary>Splits a key off some merged issues.</summary>
    public async Task SplitAsync(int times)
    {
        for (var app = 0; app < senders.Length; app++)
            for (var i = 0; i < times && _members[app].Count > 0; i++)
            {
                var oracle = await OracleAsync(app);
                var issue = random.OneOf(_members[app].Values.ToArray());
                var keys = oracle.KeysOf(issue);
                var split = TestApi.Read<SplitIssues>(
                    await PostAsync(app, $"{issue}/split", new { keys = new[] { random.OneOf(keys) } }));
                var numbers = oracle.Events.Where(e => keys.Contains(e.Key))
                    .Select(e => (e.Key, Number: oracle.NumberOf(e)!.Value)).Distinct().ToList();
                foreach (var (key, number) in numbers)
                {
                    var now = split.Split.FirstOrDefault(part => part.Keys.Contains(key))?.Issue ?? split.Issue;
                    if (now == number) _members[app].Remove(number);
                    else _members[app][number] = now;
                }
            }
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>All rows of the counters, table by table, but for the keys that are kept apart.</summary>
    public async Task<Dictionary<string, string>> RowsAsync()
    {
        var rows = new Dictionary<string, string>();
        foreach (var table in CounterTables.Current.All.Where(table => table != CounterTables.Current.EventKeys))
            rows[table] = await api.ScalarAsync<string>(
                $"select coalesce(string_agg(t::text, '; ' order by t::text), '') from {table} as t");
        return rows;
    }

    private Task<JsonElement> PostAsync(int app, string call, object body) => api.SendAsync(
        HttpMethod.Post, $"/apps/{senders[app].Id}/issues/{call}", 200, JsonSerializer.Serialize(body));

    private Task<long> EndAsync() => api.ScalarAsync<long>("select coalesce(max(seq_id), 0) from errortracker.mt_events");

    private Task<long> MarkAsync() => api.ScalarAsync<long>(
        """
        select coalesce((
          select last_seq_id from errortracker.mt_event_progression where name = 'HighWaterMark'), 0)
        """);
}
