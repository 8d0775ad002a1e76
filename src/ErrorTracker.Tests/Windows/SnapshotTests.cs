using System.Text.Json;
using System.Text.Json.Nodes;
using ErrorTracker.Commit;
using ErrorTracker.Counters;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Windows;

[Collection(nameof(OnAnotherPostgres))]
public sealed class SnapshotTests(SharedApi shared)
{
    /// <summary>
    /// A plan tells the rows of a node as their mean over its loops, one for each ragged end, rounded.
    /// </summary>
    private const int Rounding = 1;

    private const int Days = 4, Events = 20_000;

    private static readonly string[] LevelNames = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];

    internal static readonly string[] Zones =
    [
        "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe",
        "America/St_Johns", "Pacific/Chatham",
    ];

    /// <summary>Two days before the clocks of Berlin go back.</summary>
    private static readonly DateTimeOffset Start = new(2026, 10, 23, 0, 0, 0, TimeSpan.Zero);

    /// <summary>
    /// Half of the events are folded, then a node without projections serves: the other half is the tail of the log.
    /// </summary>
    [Fact]
    public async Task answers_stay_right_with_the_projection_paused()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        Sender sender;
        await using (var folding = await TestApi.StartAsync(connectionString))
        {
            sender = await folding.RegisterAsync();
            await folding.StoreAsync(Random(sender, 2_000, seed: 1));
            await folding.FoldedAsync();
            await AssertRecountedAsync(folding, sender, seed: 2);
        }

        await using var paused = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var folded = await paused.CountedAsync();
        await paused.StoreAsync(Random(sender, 2_000, seed: 3));
        await AssertRecountedAsync(paused, sender, seed: 4);
        Assert.Equal(2_000, folded);
        Assert.Equal(folded, await paused.CountedAsync());
    }

    [Fact]
    public async Task a_statistic_read_right_after_the_answer_includes_the_event()
    {
        var sender = await shared.Api.RegisterAsync();
        for (var sent = 1; sent <= 50; sent++)
        {
            await shared.Api.ReportAsync(sender);
            var url = $"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01";
            var counted = await shared.Api.GetAsync(url);
            Assert.Equal(sent, counted.GetProperty("items")[0].GetProperty("count").GetInt64());
        }
    }

    /// <summary>A query takes from the log the rows of its ragged ends, and looks at no more.</summary>
    [Fact]
    public async Task with_all_folded_the_log_is_read_at_the_ragged_ends_only()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        var sender = await api.RegisterAsync();
        foreach (var part in Random(sender, Events, seed: 5).Chunk(5_000)) await api.StoreAsync(part);
        await api.FoldedAsync();
        await api.ScalarAsync<string>("analyze; select 'done'");

        (string Name, object Value)[] hourly =
            [("interval", "HOUR"), ("tz", "UTC"), ("fill", false), ("grain", TimeSpan.FromHours(1))];
        (string Sql, Step[] Ladder, (string, object)[] More)[] statistics =
        [
            (ByLevel.Sql, Step.OfLevels, []),
            (Timeseries.Sql, Step.OfLevels, hourly),
            (TopMessages.Sql, Step.OfMessages, [("limit", 10)]),
        ];
        Window[] windows =
        [
            new(Start, Start.AddDays(Days)),
            new(Start.AddMinutes(1.5), Start.AddDays(Days).AddMinutes(-3.25)),
        ];
        foreach (var (sql, ladder, more) in statistics)
            foreach (var window in windows)
            {
                var shown = sql == TopMessages.Sql ? 10 : 0; // the latest event of each message tells its issue
                var expected = await RaggedAsync(api, window.Cut(ladder)) + shown;
                var question = new Question(sender.Id, window, ladder, level: null, more);
                var read = await RowsOfTheLogAsync(api, sql, question);
                Assert.InRange(read, expected - Rounding, expected + Rounding);
            }
    }

    /// <summary>Events in the ragged ends.</summary>
    private static async Task<long> RaggedAsync(TestApi api, Cut cut)
    {
        var events = 0L;
        foreach (var end in cut.Ragged)
            events += await api.ScalarAsync<long>(
                $"""
                select count(*) from errortracker.mt_events as e
                where e.timestamp >= '{end.Since:O}' and e.timestamp < '{end.Until:O}'
                """);
        return events;
    }

    private static async Task<long> RowsOfTheLogAsync(TestApi api, string sql, Question question) =>
        (await QueryPlan.NodesAsync(api, sql, question, new Marks(Events, Start.AddDays(Days), Events, Events, 0)))
            .Where(node => node.TryGetProperty("Relation Name", out var table) && table.GetString() == "mt_events")
            .Sum(QueryPlan.RowsOf);

    /// <summary>Which issues there are is recounted by the tests of issues.</summary>
    private static string WithoutIssues(JsonElement items)
    {
        var list = JsonNode.Parse(JsonSerializer.Serialize(items))!.AsArray();
        foreach (var item in list) item!.AsObject().Remove("issue");
        return list.ToJsonString();
    }

    /// <summary>Random windows and filters, each compared with a recount of the log.</summary>
    private static async Task AssertRecountedAsync(TestApi api, Sender sender, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < 25; i++)
        {
            var (a, b) = (RandomInstant(random), RandomInstant(random));
            var (since, until) = a < b ? (a, b) : (b, a.AddMicroseconds(1));
            var level = random.Next(3) == 0 ? LevelNames[random.Next(LevelNames.Length)] : null;
            var window = $"since={since:yyyy-MM-ddTHH:mm:ss.ffffffZ}&until={until:yyyy-MM-ddTHH:mm:ss.ffffffZ}";
            var events =
                $"""
                from errortracker.mt_events
                where tenant_id = '{sender.Id}' and timestamp >= '{since:O}' and timestamp < '{until:O}'
                """;
            var leveled = level is null ? events : $"{events} and data->>'level' = '{level}'";
            var option = level is null ? "" : $"&level={level}";

            await SameAsync($"stats/by-level?{window}", "items",
                $"select data->>'level' as level, count(*) as count {events} group by 1 order by 2 desc, 1");
            foreach (var unit in new[] { "minute", "hour", "day" })
            {
                var zone = Zones[random.Next(Zones.Length)];
                var fill = random.Next(2) == 0 ? "true" : "false";
                var local = $"date_trunc('{unit}', at, '{zone}') at time zone 'UTC'";
                await SameAsync($"stats/timeseries?{window}&interval={unit}{option}&tz={zone}&fill={fill}", "series",
                    $"""
                    select to_char({local}, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as bucket_start, sum(n) as count from (
                      select timestamp as at, 1 as n {leveled}
                      union all
                      select greatest(minute, '{since:O}'), 0
                      from generate_series(
                        date_trunc('minute', '{since:O}'::timestamptz),
                        '{until.AddTicks(-10):O}'::timestamptz, '1 minute') as minute
                      where {fill}) as parts
                    group by 1 order by 1
                    """);
            }
            await ListedAsync(leveled, window + option);
            await SameAsync($"stats/top-messages?{window}&limit=100{option}", "items",
                $"""
                select data->>'message' as message, count(*) as count,
                  {Written("min(timestamp)")} as first_seen, {Written("max(timestamp)")} as last_seen
                {leveled}
                group by 1 order by 2 desc, max(timestamp) desc, (data->>'message') collate "C" limit 100
                """);
        }

        async Task ListedAsync(string events, string query)
        {
            var offset = random.Next(3_000);
            var page = await api.GetAsync($"/apps/{sender.Id}/events?{query}&limit=50&offset={offset}");
            var recounted = await api.ScalarAsync<string>(
                $"""
                select coalesce(string_agg(e.id::text, ','), '') from (
                  select id {events} order by timestamp desc, seq_id desc offset {offset} limit 50) as e
                """);
            var listed = page.GetProperty("items").EnumerateArray().Select(e => e.GetProperty("id").GetString());
            Assert.Equal(recounted, string.Join(',', listed));
            var total = await api.ScalarAsync<long>($"select count(*) {events}");
            Assert.Equal(total > offset + 50 ? offset + 50 : null, page.GetProperty("next_offset").Deserialize<int?>());
        }

        string Written(string time) =>
            $"""
            trim(trailing '.' from trim(trailing '0' from
              to_char({time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'))) || 'Z'
            """;

        async Task SameAsync(string statistic, string list, string recount)
        {
            var answered = (await api.GetAsync($"/apps/{sender.Id}/{statistic}")).GetProperty(list);
            var recounted = JsonDocument.Parse(
                await api.ScalarAsync<string>($"select coalesce(json_agg(r), '[]')::text from ({recount}) as r"));
            Assert.Equal(JsonSerializer.Serialize(recounted.RootElement), WithoutIssues(answered));
        }
    }

    private static List<PendingEvent> Random(Sender sender, int count, int seed)
    {
        var random = new Random(seed);
        return
        [
            .. Enumerable.Range(0, count).Select(_ => TestApi.Event(sender, RandomInstant(random),
                LevelNames[random.Next(LevelNames.Length)], $"message {random.Next(40)}")),
        ];
    }

    /// <summary>On any grain from days to microseconds, so that buckets' edges are hit often.</summary>
    private static DateTimeOffset RandomInstant(Random random)
    {
        long[] grains =
            [TimeSpan.TicksPerHour, TimeSpan.TicksPerMinute, TimeSpan.TicksPerSecond, TimeSpan.TicksPerMicrosecond];
        var grain = grains[random.Next(grains.Length)];
        return new(Start.Ticks + random.NextInt64(Days * TimeSpan.TicksPerDay) / grain * grain, TimeSpan.Zero);
    }
}
