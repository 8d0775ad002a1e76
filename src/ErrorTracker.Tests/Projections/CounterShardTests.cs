using System.Text.Json;
using ErrorTracker.Configuration;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using FsCheck;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace ErrorTracker.Tests.Projections;

/// <summary>What befalls the tables and the progress of the counters, and that they are right again by themselves.</summary>
[Collection(nameof(OnPostgres))]
public sealed class CounterShardTests(SharedApi shared)
{
    private const string Everything = "since=2020-01-01&until=2100-01-01";

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task a_range_is_folded_once_however_many_try()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 100).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        var tries = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CounterShard.Current.FoldAsync(api.Database, 0, 100, CancellationToken.None)));
        Assert.Single(tries, won => won);
        Assert.Equal(100, await api.CountedAsync());
    }

    [Fact]
    public async Task the_lag_is_told_while_the_fold_fails()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var (sender, watch) = (await api.RegisterAsync(), api.Host.Services.GetRequiredService<CounterWatch>());
        await using (var rule = api.Database.CreateCommand(
            $"""
            create function errortracker.refuse() returns trigger language plpgsql as $$ begin raise 'no counting'; end $$;
            create trigger refuse before insert on {CounterTables.Current.OpenMinutes}
            for each row execute function errortracker.refuse()
            """))
            await rule.ExecuteNonQueryAsync();
        for (var events = 1; events < 4; events++)
        {
            await api.ReportAsync(sender);
            await Eventually.Async(() => Task.FromResult(watch.Lag == events), $"the lag is {events}");
        }
        await using (var free = api.Database.CreateCommand($"drop trigger refuse on {CounterTables.Current.OpenMinutes}"))
            await free.ExecuteNonQueryAsync();
        await api.FoldedAsync();
    }

    /// <summary>Live events are counted in open minutes, which are closed when they are over and opened again by whatever is late.</summary>
    [Fact]
    public async Task an_event_is_counted_once_whether_its_minute_is_open_or_closed_or_opened_again()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        var now = DateTimeOffset.UtcNow;
        await api.StoreAsync(Enumerable.Range(0, 3_000).Select(i => TestApi.Event(sender, now.AddSeconds(-i), message: $"m{i % 2_500}")));
        await FoldAsync(0, 3_000, open: 3_000);
        await api.ClosedAsync();
        Assert.InRange(await OpenAsync(), 1, 130); // the last minute, and the seconds for which one that is over waits
        await AssertWholeAndAllAsync(3_000);

        await api.StoreAsync([TestApi.Event(sender, now.AddMinutes(-30), message: "m1"), TestApi.Event(sender, now, message: "m0")]);
        await FoldAsync(3_000, 3_002, open: await OpenAsync() + 2);
        await AssertWholeAndAllAsync(3_002);
        await api.ClosedAsync();
        await AssertWholeAndAllAsync(3_002);

        async Task FoldAsync(long floor, long ceiling, long open)
        {
            Assert.True(await CounterShard.Current.FoldAsync(api.Database, floor, ceiling, CancellationToken.None));
            Assert.Equal(open, await OpenAsync());
        }

        Task<long> OpenAsync() => api.ScalarAsync<long>($"select sum(count)::bigint from {CounterTables.Current.OpenMinutes}");

        async Task AssertWholeAndAllAsync(int events)
        {
            Assert.Equal(events, await api.CountedAsync());
            Assert.Empty((await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None)).Differences);
            foreach (var (from, until) in new[] { (now.AddDays(-1), now.AddDays(1)), (now.AddSeconds(-2_000.5), now.AddSeconds(-33.25)), (now.AddSeconds(-90.5), now.AddSeconds(1)) })
                Assert.Equal(
                    await api.ScalarAsync<long>($"select count(*) from errortracker.mt_events where timestamp >= '{from:O}' and timestamp < '{until:O}'"),
                    (await api.GetAsync($"/apps/{sender.Id}/stats/by-level?since={from:yyyy-MM-ddTHH:mm:ss.ffffffZ}&until={until:yyyy-MM-ddTHH:mm:ss.ffffffZ}")).GetProperty("items").EnumerateArray().Sum(i => i.GetProperty("count").GetInt64()));
        }
    }

    [Fact]
    public async Task closing_many_times_at_once_while_late_events_are_folded_counts_nothing_twice()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        for (var round = 0; round < 10; round++)
        {
            var sending = api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i % 7), message: $"m{i % 50}")));
            await Task.WhenAll([sending, .. Enumerable.Range(0, 3).Select(_ => api.ClosedAsync())]);
        }
        await AssertWholeAsync(api);
        Assert.Equal(3_000, await api.CountedAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task dropped_tables_are_filled_again_and_statistics_stay_right(int dropped)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        await api.FoldedAsync();

        await ExecuteAsync(api, $"drop table {CounterTables.Current.Names[dropped]}");
        await AssertCountedAsync(api, sender, 300);
        await api.ReportAsync(sender);
        await AssertCountedAsync(api, sender, 301);
        await api.FoldedAsync();
        await AssertCountedAsync(api, sender, 301);
        await AssertWholeAsync(api);
    }

    /// <summary>Marten would make the missing table alone, and empty, and the counters would be taken for complete.</summary>
    [Fact]
    public async Task tables_dropped_while_no_host_runs_are_filled_by_the_next()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        Sender sender;
        await using (var api = await TestApi.StartAsync(connectionString))
        {
            sender = await api.RegisterAsync();
            await api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
            await api.FoldedAsync();
            await ExecuteAsync(api, $"drop table {CounterTables.Current.Levels}");
        }
        await using var again = await TestApi.StartAsync(connectionString);
        await AssertCountedAsync(again, sender, 300);
        await AssertWholeAsync(again);
    }

    [Theory]
    [InlineData("drop table {0}")]
    [InlineData("delete from errortracker.mt_event_progression where name like 'Counters:%'")]
    [InlineData("update errortracker.mt_event_progression set last_seq_id = 0 where name like 'Counters:%'")]
    public async Task what_is_lost_is_counted_anew_though_no_event_arrives(string loss)
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        await api.FoldedAsync();
        await ExecuteAsync(api, string.Format(loss, CounterTables.Current.Messages));
        await AssertCountedAsync(api, sender, 300);
        await Eventually.Async(async () => (await api.GetAsync("/projections"))[0] is var status && status.GetProperty("state").GetString() == "caught up" && status.GetProperty("processed").GetInt64() >= 300, "all is folded again");
        await AssertCountedAsync(api, sender, 300);
        await AssertWholeAsync(api);
    }

    [Fact]
    public async Task a_locked_table_holds_the_fold_up_but_not_the_answers_and_a_failing_one_shows_why()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();
        await ExecuteAsync(api, $"alter table {CounterTables.Current.OpenMinutes} add constraint broken check (count < 1) not valid");
        await api.ReportAsync(sender);

        await Eventually.Async(async () => (await api.GetAsync("/projections"))[0].GetProperty("state").GetString() == "failing", "the shard shows that it fails");
        Assert.Contains("broken", (await api.GetAsync("/projections"))[0].GetProperty("error").GetString());
        Assert.Equal(503, (int)(await api.Host.Server.CreateClient().GetAsync("/health/ready")).StatusCode);
        await AssertCountedAsync(api, sender, 2);

        await ExecuteAsync(api, $"alter table {CounterTables.Current.OpenMinutes} drop constraint broken");
        await api.FoldedAsync();
        await using (var connection = await api.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await new Npgsql.NpgsqlCommand($"lock table {CounterTables.Current.OpenMinutes} in exclusive mode", connection).ExecuteNonQueryAsync();
            await api.ReportAsync(sender);
            await AssertCountedAsync(api, sender, 3);
            await Eventually.Async(async () => (await api.GetAsync("/projections"))[0].GetProperty("error").GetString()?.Contains("lock timeout") == true, "the shard shows that it cannot get the lock");
            Assert.Equal(503, (int)(await api.Host.Server.CreateClient().GetAsync("/health/ready")).StatusCode);
        }
        await api.FoldedAsync();
        await AssertCountedAsync(api, sender, 3);
        await Eventually.Async(async () => (await api.Host.Server.CreateClient().GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready again");
        Assert.Equal("caught up", (await api.GetAsync("/projections"))[0].GetProperty("state").GetString());
    }

    /// <summary>The node that moved the mark may have died, and the daemon that takes its place waits ten seconds to be sure.</summary>
    [Fact]
    public async Task what_no_daemon_folds_the_watch_does()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        using var watch = new CounterWatch(
            api.Host.Services.GetRequiredService<LogDatabases>(), new CommitSignal(TimeProvider.System),
            new Settings { Projections = true }, NullLogger<CounterWatch>.Instance);
        await watch.StartAsync(CancellationToken.None);
        await api.FoldedAsync();
        await Eventually.Async(async () => await api.ScalarAsync<long>($"select count(*) from {CounterTables.Current.OpenMinutes}") == 0, "the minutes are closed");
        await watch.StopAsync(CancellationToken.None);
        Assert.Equal(300, await api.CountedAsync());
        await AssertWholeAsync(api);
    }

    /// <summary>Two may try to fold a range: that the one could not is of no interest when the other has.</summary>
    [Fact]
    public async Task a_failure_that_another_fold_has_overtaken_is_not_shown()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 10).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        Assert.True(await CounterShard.Current.FoldAsync(api.Database, 0, 10, CancellationToken.None));
        foreach (var (ceiling, state) in new[] { (10, "caught up"), (11, "failing") })
        {
            await CounterShard.Current.NoteFailureAsync(api.Database, ceiling, "it failed", CancellationToken.None);
            Assert.Equal(state, (await api.GetAsync("/projections"))[0].GetProperty("state").GetString());
        }
    }

    /// <summary>Rows as only a hand can write them; the fold, the recount and the answers must stand them.</summary>
    [Fact]
    public async Task no_row_of_the_log_can_stop_the_fold()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        string[] data = ["null", "[]", "1", "\"text\"", "{}", """{"level":null,"message":null}""", """{"level":{"a":1},"message":[2]}""",
            $$"""{"level":"{{new string('L', 9_000)}}","message":"{{string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + i * 7919 % 26)))}}"}""", """{"level":"ERROR","message":"\ud83d\ude00"}"""];
        string[] times = ["now()", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31'", "'1969-12-31 23:59:59.999999Z'"];
        foreach (var (json, i) in data.Concat(times.Select(_ => "{}")).Select((json, i) => (json, i)))
        {
            var time = i < data.Length ? "now()" : times[i - data.Length];
            await ExecuteAsync(api,
                $"""
                insert into errortracker.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, is_archived)
                select nextval('errortracker.mt_events_sequence'), gen_random_uuid(), id, 1000 + {i}, '{json}', 'error_occurred', {time}, tenant_id, false from errortracker.mt_streams
                """);
        }
        await api.FoldedAsync();
        var counted = await api.GetAsync($"/apps/{sender.Id}/stats/by-level?{Everything}");
        Assert.Equal(data.Length + 2, counted.GetProperty("items").EnumerateArray().Sum(l => l.GetProperty("count").GetInt32()));
        Assert.Equal(data.Length + 3, await api.CountedAsync());
    }

    /// <summary>Whatever JSON ingest lets through.</summary>
    [Fact]
    public async Task no_event_that_is_accepted_can_stop_the_fold()
    {
        var sender = await shared.Api.RegisterAsync();
        string[] nasty = ["\\u0000", "\\ud800", "\\udc00\\ud800", "💥", "\\u202e", "%s'\\\";--", "\\n\\t\\b", "ﷺ", "{}", "\\\\u0000", " ", "a"];
        string[] values = ["1e308", "-1e-308", "0.0000000000000000000001", "\"\\u0000\"", "[[[[[[[[[[]]]]]]]]]]", "{\"\":{\"\":null}}", "true", "{\"a\":1,\"a\":2}"];
        var bodies = Gen.Sample(Gen.Elements(nasty).ListOf().Where(p => p.Count > 0).SelectMany(message => Gen.Elements(values).Select(value => (Message: string.Concat(message), Value: value))), 60, 60).ToList();
        foreach (var (message, value) in bodies)
            await shared.Api.PostEventAsync(sender,
                $$$"""{"occurred_at":"0001-01-01T00:00:00Z","level":"fatal","message":"{{{message}}}","stack":{"v":{{{value}}}},"tags":{"\u0000":{{{value}}}}}""", expected: 201);
        await shared.Api.FoldedAsync();
        await AssertCountedAsync(shared.Api, sender, bodies.Count);
    }

    private static async Task AssertWholeAsync(TestApi api)
    {
        await api.FoldedAsync();
        Assert.Empty((await new Verify(api.Database).RunAsync(null, null, 10, CancellationToken.None)).Differences);
    }

    private static async Task AssertCountedAsync(TestApi api, Sender sender, int expected)
    {
        foreach (var (statistic, list) in new[] { ("by-level?", "items"), ("timeseries?", "series"), ("top-messages?limit=100&", "items") })
        {
            var answer = await api.GetAsync($"/apps/{sender.Id}/stats/{statistic}since=2026-01-01&until=2027-01-01");
            Assert.Equal(expected, answer.GetProperty(list).EnumerateArray().Sum(i => i.GetProperty("count").GetInt32()));
        }
    }

    private static async Task ExecuteAsync(TestApi api, string sql)
    {
        await using var command = api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
