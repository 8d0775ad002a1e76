using System.Globalization;
using System.Text.Json;
using ErrorTracker.Configuration;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using FsCheck.Fluent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace ErrorTracker.Tests.Projections;

/// <summary>
/// What happens to the tables and the progress of the counters, and that they are right again by themselves.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class ProjectionShardTests(SharedApi shared)
{
    private static readonly Projection Definition = CountersProjection.Definition;

    private static readonly ProjectionShard Counters = ProjectionShard.Of(Definition);

    private static readonly CounterTables Tables = CounterTables.Current;

    private const string Everything = "since=2020-01-01&until=2100-01-01";

    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task a_range_is_folded_once_however_many_try()
    {
        await using var api = await StartUnfoldedAsync();
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 100).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        var tries = Enumerable.Range(0, 6)
            .Select(_ => Counters.FoldAsync(api.Database, 0, 100, CancellationToken.None));
        Assert.Single(await Task.WhenAll(tries), won => won);
        Assert.Equal(100, await api.CountedAsync());
    }

    [Fact]
    public async Task the_lag_is_told_while_the_fold_fails()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var (sender, watch) = (await api.RegisterAsync(), api.Host.Services.GetRequiredService<ProjectionWatch>());
        await ExecuteAsync(api,
            $"""
            create function errortracker.refuse() returns trigger language plpgsql
            as $$ begin raise 'no counting'; end $$;
            create trigger refuse before insert on {Tables.OpenMinutes}
            for each row execute function errortracker.refuse()
            """);
        for (var events = 1; events < 4; events++)
        {
            await api.ReportAsync(sender);
            await Eventually.Async(() => Task.FromResult(watch.Lag == events), $"the lag is {events}");
        }
        await ExecuteAsync(api, $"drop trigger refuse on {Tables.OpenMinutes}");
        await api.FoldedAsync();
    }

    /// <summary>
    /// Live events are counted in open minutes, which are closed when they are over and opened again by whatever is
    /// late.
    /// </summary>
    [Fact]
    public async Task an_event_is_counted_once_whether_its_minute_is_open_or_closed_or_opened_again()
    {
        await using var api = await StartUnfoldedAsync();
        var sender = await api.RegisterAsync();
        var now = DateTimeOffset.UtcNow;
        await api.StoreAsync(Enumerable.Range(0, 3_000)
            .Select(i => TestApi.Event(sender, now.AddSeconds(-i), message: $"m{i % 2_500}")));
        await FoldAsync(0, 3_000, open: 3_000);
        await api.ClosedAsync();
        Assert.InRange(await OpenAsync(), 1, 130); // the last minute, and the seconds for which one that is over waits
        await AssertWholeAndAllAsync(3_000);

        await api.StoreAsync(
            [TestApi.Event(sender, now.AddMinutes(-30), message: "m1"), TestApi.Event(sender, now, message: "m0")]);
        await FoldAsync(3_000, 3_002, open: await OpenAsync() + 2);
        await AssertWholeAndAllAsync(3_002);
        await api.ClosedAsync();
        await AssertWholeAndAllAsync(3_002);

        async Task FoldAsync(long floor, long ceiling, long open)
        {
            Assert.True(await Counters.FoldAsync(api.Database, floor, ceiling, CancellationToken.None));
            Assert.Equal(open, await OpenAsync());
        }

        Task<long> OpenAsync() => api.ScalarAsync<long>(
            $"select sum(o.count)::bigint from {Tables.OpenMinutes} as o");

        async Task AssertWholeAndAllAsync(int events)
        {
            Assert.Equal(events, await api.CountedAsync());
            await AssertNoDifferencesAsync(api);
            var windows = new[]
            {
                (now.AddDays(-1), now.AddDays(1)),
                (now.AddSeconds(-2_000.5), now.AddSeconds(-33.25)),
                (now.AddSeconds(-90.5), now.AddSeconds(1)),
            };
            foreach (var (from, until) in windows)
            {
                var recounted = await api.ScalarAsync<long>(
                    $"""
                    select count(*) from errortracker.mt_events as e
                    where e.timestamp >= '{from:O}' and e.timestamp < '{until:O}'
                    """);
                var window = $"since={from:yyyy-MM-ddTHH:mm:ss.ffffffZ}&until={until:yyyy-MM-ddTHH:mm:ss.ffffffZ}";
                var answer = await api.GetAsync($"/apps/{sender.Id}/stats/by-level?{window}");
                Assert.Equal(recounted, SumOf(answer.GetProperty("items")));
            }
        }
    }

    [Fact]
    public async Task closing_many_times_at_once_while_late_events_are_folded_counts_nothing_twice()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        for (var round = 0; round < 10; round++)
        {
            var sending = api.StoreAsync(Enumerable.Range(0, 300)
                .Select(i => TestApi.Event(sender, Start.AddMinutes(i % 7), message: $"m{i % 50}")));
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

        await ExecuteAsync(api, $"drop table {Tables.All[dropped]}");
        await AssertCountedAsync(api, sender, 300);
        await api.ReportAsync(sender);
        await AssertCountedAsync(api, sender, 301);
        await api.FoldedAsync();
        await AssertCountedAsync(api, sender, 301);
        await AssertWholeAsync(api);
    }

    /// <summary>Marten would make the missing table alone, and the counters would be taken for complete.</summary>
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
            await ExecuteAsync(api, $"drop table {Tables.Levels}");
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
        await ExecuteAsync(api, string.Format(CultureInfo.InvariantCulture, loss, Tables.Messages));
        await AssertCountedAsync(api, sender, 300);
        await Eventually.Async(async () =>
        {
            var status = await StatusAsync(api);
            var isCaughtUp = status.GetProperty("state").GetString() == "caught up";
            return isCaughtUp && status.GetProperty("processed").GetInt64() >= 300;
        }, "all is folded again");
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
        await ExecuteAsync(api, $"alter table {Tables.OpenMinutes} add constraint broken check (count < 1) not valid");
        await api.ReportAsync(sender);

        await Eventually.Async(
            async () => (await StatusAsync(api)).GetProperty("state").GetString() == "failing",
            "it shows that it fails");
        Assert.Contains("broken", (await StatusAsync(api)).GetProperty("error").GetString());
        Assert.Equal(503, await ReadinessAsync(api));
        await AssertCountedAsync(api, sender, 2);

        await ExecuteAsync(api, $"alter table {Tables.OpenMinutes} drop constraint broken");
        await api.FoldedAsync();
        await using (var connection = await api.Database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await new NpgsqlCommand($"lock table {Tables.OpenMinutes} in exclusive mode", connection)
                .ExecuteNonQueryAsync();
            await api.ReportAsync(sender);
            await AssertCountedAsync(api, sender, 3);
            await Eventually.Async(async () =>
            {
                var error = (await StatusAsync(api)).GetProperty("error").GetString();
                return error?.Contains("lock timeout") == true;
            }, "it shows that it cannot get the lock");
            Assert.Equal(503, await ReadinessAsync(api));
        }
        await api.FoldedAsync();
        await AssertCountedAsync(api, sender, 3);
        await Eventually.Async(async () => await ReadinessAsync(api) == 200, "the host is ready again");
        Assert.Equal("caught up", (await StatusAsync(api)).GetProperty("state").GetString());
    }

    /// <summary>
    /// The node that moved the mark may have died, and the daemon that takes its place waits ten seconds to be sure.
    /// </summary>
    [Fact]
    public async Task what_no_daemon_folds_the_watch_does()
    {
        await using var api = await StartUnfoldedAsync();
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 300).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        using var watch = new ProjectionWatch(
            new RegisteredProjections([Definition]), api.Host.Services.GetRequiredService<LogDatabases>(),
            new CommitSignal(TimeProvider.System), new Settings { Projections = true },
            NullLogger<ProjectionWatch>.Instance);
        await watch.StartAsync(CancellationToken.None);
        await api.FoldedAsync();
        var open = $"select count(*) from {Tables.OpenMinutes}";
        await Eventually.Async(async () => await api.ScalarAsync<long>(open) == 0, "the minutes are closed");
        await watch.StopAsync(CancellationToken.None);
        Assert.Equal(300, await api.CountedAsync());
        await AssertWholeAsync(api);
    }

    /// <summary>Two may try to fold a range: that the one could not is of no interest when the other has.</summary>
    [Fact]
    public async Task a_failure_that_another_fold_has_overtaken_is_not_shown()
    {
        await using var api = await StartUnfoldedAsync();
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 10).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        Assert.True(await Counters.FoldAsync(api.Database, 0, 10, CancellationToken.None));
        foreach (var (ceiling, state) in new[] { (10, "caught up"), (11, "failing") })
        {
            await Counters.NoteFailureAsync(api.Database, ceiling, "it failed", CancellationToken.None);
            Assert.Equal(state, (await StatusAsync(api)).GetProperty("state").GetString());
        }
    }

    /// <summary>Rows as only a hand can write them; the fold, the recount and the answers must stand them.</summary>
    [Fact]
    public async Task no_row_of_the_log_can_stop_the_fold()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        var longLevel = new string('L', 9_000);
        var longMessage = string.Concat(Enumerable.Range(0, 20_000).Select(i => (char)('a' + i * 7919 % 26)));
        string[] data =
        [
            "null", "[]", "1", "\"text\"", "{}",
            """{"level":null,"message":null}""",
            """{"level":{"a":1},"message":[2]}""",
            $$"""{"level":"{{longLevel}}","message":"{{longMessage}}"}""",
            """{"level":"ERROR","message":"\ud83d\ude00"}""",
        ];
        string[] times =
        [
            "now()", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'294276-12-31'", "'1969-12-31 23:59:59.999999Z'",
        ];
        foreach (var (json, i) in data.Concat(times.Select(_ => "{}")).Select((json, i) => (json, i)))
        {
            var time = i < data.Length ? "now()" : times[i - data.Length];
            await ExecuteAsync(api,
                $"""
                insert into errortracker.mt_events
                  (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, is_archived)
                select nextval('errortracker.mt_events_sequence'), gen_random_uuid(), s.id, 1000 + {i}, '{json}',
                  'error_occurred', {time}, s.tenant_id, false
                from errortracker.mt_streams as s
                """);
        }
        await api.FoldedAsync();
        var counted = await api.GetAsync($"/apps/{sender.Id}/stats/by-level?{Everything}");
        Assert.Equal(data.Length + 2, SumOf(counted.GetProperty("items")));
        Assert.Equal(data.Length + 3, await api.CountedAsync());
    }

    /// <summary>Whatever JSON ingest lets through.</summary>
    [Fact]
    public async Task no_event_that_is_accepted_can_stop_the_fold()
    {
        var sender = await shared.Api.RegisterAsync();
        string[] nasty =
        [
            "\\u0000", "\\ud800", "\\udc00\\ud800", "💥", "\\u202e", "%s'\\\";--", "\\n\\t\\b", "ﷺ", "{}",
            "\\\\u0000", " ", "a",
        ];
        string[] values =
        [
            "1e308", "-1e-308", "0.0000000000000000000001", "\"\\u0000\"", "[[[[[[[[[[]]]]]]]]]]", "{\"\":{\"\":null}}",
            "true", "{\"a\":1,\"a\":2}",
        ];
        var generated =
            from parts in Gen.Elements(nasty).ListOf()
            where parts.Count > 0
            from value in Gen.Elements(values)
            select (Message: string.Concat(parts), Value: value);
        var bodies = Gen.Sample(generated, 60, 60).ToList();
        foreach (var (message, value) in bodies)
            await shared.Api.PostEventAsync(sender,
                $$$"""
                {
                  "occurred_at": "0001-01-01T00:00:00Z", "level": "fatal", "message": "{{{message}}}",
                  "stack": {"v": {{{value}}}}, "tags": {"\u0000": {{{value}}}}
                }
                """, expected: 201);
        await shared.Api.FoldedAsync();
        await AssertCountedAsync(shared.Api, sender, bodies.Count);
    }

    private static async Task AssertWholeAsync(TestApi api)
    {
        await api.FoldedAsync();
        await AssertNoDifferencesAsync(api);
    }

    private static async Task AssertNoDifferencesAsync(TestApi api)
    {
        var verdict = await new Verify(api.Database).RunAsync(Definition, null, null, 10, CancellationToken.None);
        Assert.Empty(verdict.Differences);
    }

    private static async Task AssertCountedAsync(TestApi api, Sender sender, int expected)
    {
        (string Statistic, string List)[] answers =
            [("by-level?", "items"), ("timeseries?", "series"), ("top-messages?limit=100&", "items")];
        foreach (var (statistic, list) in answers)
        {
            var answer = await api.GetAsync($"/apps/{sender.Id}/stats/{statistic}since=2026-01-01&until=2027-01-01");
            Assert.Equal(expected, SumOf(answer.GetProperty(list)));
        }
    }

    private static long SumOf(JsonElement list) =>
        list.EnumerateArray().Sum(item => item.GetProperty("count").GetInt64());

    private static async Task<JsonElement> StatusAsync(TestApi api) => (await api.GetAsync("/projections"))[0];

    private static async Task<int> ReadinessAsync(TestApi api) =>
        (int)(await api.Host.Server.CreateClient().GetAsync("/health/ready")).StatusCode;

    private async Task<TestApi> StartUnfoldedAsync() =>
        await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));

    private static async Task ExecuteAsync(TestApi api, string sql)
    {
        await using var command = api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
