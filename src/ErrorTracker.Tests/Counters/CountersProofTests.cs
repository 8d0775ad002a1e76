using ErrorTracker.Counters;
using ErrorTracker.Projections;
using ErrorTracker.Tests.Issues;

namespace ErrorTracker.Tests.Counters;

/// <summary>Whatever is wrong in the tables of the counters, verification finds it.</summary>
[Collection(nameof(OnPostgres))]
public sealed class CountersProofTests(SharedApi shared) : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    private static readonly CounterTables Tables = CounterTables.Current;

    private TestApi _api = null!;
    private Sender _sender = null!;

    /// <summary>Two days of events in closed minutes, and one event in a minute that is open.</summary>
    public async Task InitializeAsync()
    {
        _api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        _sender = await _api.RegisterAsync();
        await StoreAndFoldAsync(0, Enumerable.Range(0, 200).Select(i => Start.AddMinutes(15 * i)));
        await _api.ClosedAsync();
        await StoreAndFoldAsync(200, [DateTimeOffset.UtcNow.AddMinutes(5)]);
    }

    public async Task DisposeAsync() => await _api.DisposeAsync();

    [Fact]
    public async Task every_step_of_each_table_is_compared()
    {
        Assert.Empty(await DifferencesAsync());
        foreach (var step in Step.OfLevels) await IsFoundAsync(Tables.Levels, step);
        foreach (var step in Step.OfMessages) await IsFoundAsync(Tables.Messages, step);
        foreach (var step in Step.OfGroups) await IsFoundAsync(Tables.GroupCounts, step);
        Assert.Empty(await DifferencesAsync());
    }

    [Fact]
    public async Task a_row_too_few_or_too_many_and_one_in_the_wrong_bucket_are_found()
    {
        await ExecuteAsync($"delete from {Tables.Levels} where step = 'h' and bucket = '{Start.AddHours(1):O}'");
        Assert.Equal(
            [new Difference($"{_sender.Id}", "h", Start.AddHours(1), "ERROR", 0, 4)], await DifferencesAsync());
        await ExecuteAsync(
            $"""
            insert into {Tables.Levels} (tenant_id, step, bucket, level, count)
            values ('{_sender.Id}', 'h', '{Start.AddHours(1):O}', 'INFO', 4)
            """);
        Assert.Equal(
            [("ERROR", 0L, 4L), ("INFO", 4L, 0L)],
            (await DifferencesAsync()).Select(found => (found.Subject, found.Counted, found.Recounted)));
        await ExecuteAsync(
            $"""
            update {Tables.Levels} set level = 'ERROR', bucket = bucket + interval '30 minutes'
            where step = 'h' and level = 'INFO'
            """);
        Assert.Equal(
            [Start.AddHours(1), Start.AddHours(1.5)], (await DifferencesAsync()).Select(found => found.Bucket));
    }

    [Fact]
    public async Task open_minutes_are_part_of_every_step()
    {
        await ExecuteAsync($"update {Tables.OpenMinutes} set count = 3");
        var found = await DifferencesAsync(most: 100);
        string[] others = ["group"];
        Assert.Equal(
            [.. Step.OfLevels.Concat(Step.OfMessages).Concat(Step.OfGroups).Select(step => step.Code).Concat(others).Order()],
            found.Select(difference => difference.Step).Order());
        Assert.All(found, difference => Assert.Equal(2, difference.Counted - difference.Recounted));
    }

    [Fact]
    public async Task texts_that_are_lost_or_changed_and_a_last_seen_that_is_wrong_are_found()
    {
        await ExecuteAsync($"update {Tables.Messages} set last_seen = last_seen - interval '1 s' where step = '8d'");
        var found = await DifferencesAsync();
        Assert.Equal("8d", found[0].Step);
        Assert.Contains("last seen", found[0].Subject);
        await ExecuteAsync($"update {Tables.Messages} set last_seen = last_seen + interval '1 s' where step = '8d'");

        await ExecuteAsync($"update {Tables.Texts} set message = 'another'");
        Assert.Equal([("text", 1L)], (await DifferencesAsync()).Select(text => (text.Step, text.Counted)));
        await ExecuteAsync($"delete from {Tables.Texts}");
        await ExecuteAsync($"update {Tables.OpenMinutes} set message_hash = gen_random_uuid()");
        Assert.Contains(("text", 0L), (await DifferencesAsync(most: 100)).Select(text => (text.Step, text.Counted)));
    }

    /// <summary>Each fault by itself: the tables are put back after each.</summary>
    [Fact]
    public async Task whatever_is_wrong_with_groups_their_counts_releases_and_keys_is_found()
    {
        await StoreGroupsAsync();
        (string Table, string Step, string[] Faults)[] cases =
        [
            (Tables.Groups, "group",
            [
                "update TABLE set number = number + 10",
                "update TABLE set number = case when number = 1 then 30 else number end",
                "update TABLE set count = count + 1 where number = 2",
                "update TABLE set first_seq = first_seq + 1 where number = 2",
                "update TABLE set first_seen = first_seen - interval '1 microsecond' where number = 2",
                "update TABLE set last_seen = last_seen + interval '1 microsecond' where number = 2",
                "update TABLE set group_key = 'another' where number = 2",
                "delete from TABLE where number = 2",
                """
                insert into TABLE select tenant_id, grouping, 7, 'more', first_seq, first_seen, last_seen, count, text_seq,
                  level, title, type, place from TABLE where number = 1
                """,
            ]),
            (Tables.GroupCounts, "d",
            [
                "update TABLE set count = count + 1 where step = 'd' and release = '1.0'",
                "update TABLE set release = '' where step = 'd' and release = '1.0'",
                "update TABLE set environment = 'other' where step = 'd' and release = '1.0'",
                "update TABLE set level = 'INFO' where step = 'd' and release = '1.0'",
                "update TABLE set number = 1 where step = 'd' and release = '1.0'",
                "delete from TABLE where step = 'd' and release = '1.0'",
            ]),
            (Tables.Releases, "release",
            [
                "update TABLE set count = count - 1",
                "update TABLE set first_seen = first_seen + interval '1 microsecond'",
                "update TABLE set last_seen = last_seen - interval '1 microsecond'",
                "update TABLE set release = '1.1'",
                "delete from TABLE",
                "insert into TABLE select tenant_id, '3.0', first_seen, last_seen, count from TABLE",
            ]),
            (Tables.EventKeys, "facts",
            [
                "update TABLE set group_key = 'another' where seq_id = 5",
                "update TABLE set release = '9' where seq_id = 5",
                "update TABLE set environment = 'other' where seq_id = 5",
                "update TABLE set received_at = received_at + interval '1 microsecond' where seq_id = 5",
                "delete from TABLE where seq_id = 5",
                """
                insert into TABLE select tenant_id, grouping, 1000000, group_key, release, environment, received_at
                from TABLE where seq_id = 5
                """,
            ]),
            ("errortracker.mt_events", "facts",
            [
                """update TABLE set headers = '{"key": "another", "rules": "g1"}' where headers is not null""",
                """update TABLE set headers = headers - 'release' where headers is not null""",
            ]),
        ];
        foreach (var (table, step, faults) in cases)
        {
            await ExecuteAsync($"create table kept as table {table}");
            foreach (var fault in faults)
            {
                await ExecuteAsync(fault.Replace("TABLE", table));
                Assert.True(
                    (await DifferencesAsync(most: 10_000)).Any(found => found.Step == step), $"{step} after {fault}");
                await ExecuteAsync($"truncate {table}; insert into {table} overriding system value table kept");
                Assert.Empty(await DifferencesAsync());
            }
            await ExecuteAsync("drop table kept");
        }
    }

    /// <summary>A second group, of a release; its facts are stored beside its events.</summary>
    private async Task StoreGroupsAsync()
    {
        await _api.StoreAsync(Enumerable.Range(0, 3).Select(i => RandomErrors.Event(
            _sender, Start.AddMinutes(i), "ERROR", "paper jam", release: "1.0", environment: "staging")));
        var counters = ProjectionShard.Of(CountersProjection.Definition);
        Assert.True(await counters.FoldAsync(_api.Database, 201, 204, CancellationToken.None));
        await _api.ClosedAsync();
        Assert.Empty(await DifferencesAsync());
    }

    [Fact]
    public async Task buckets_that_do_not_lie_in_the_window_are_left_out()
    {
        await ExecuteAsync(
            $"update {Tables.Levels} set count = 9 where step = 'h' and bucket = '{Start.AddHours(5):O}'");
        Assert.Single(await DifferencesAsync());
        Assert.Single(await DifferencesAsync(since: Start.AddHours(5), until: Start.AddHours(6)));
        Assert.Empty(await DifferencesAsync(since: Start.AddHours(5.5)));
        Assert.Empty(await DifferencesAsync(until: Start.AddHours(5.5)));
    }

    [Fact]
    public async Task no_more_differences_are_answered_than_are_asked_for()
    {
        await ExecuteAsync($"update {Tables.Levels} set count = 9; update {Tables.Messages} set count = 9");
        Assert.Equal(7, (await DifferencesAsync(most: 7)).Count);
    }

    private async Task IsFoundAsync(string table, Step step)
    {
        await ExecuteAsync($"update {table} set count = count + 1 where step = '{step.Code}'");
        Assert.Equal([step.Code], (await DifferencesAsync(most: 1_000)).Select(found => found.Step).Distinct());
        await ExecuteAsync($"update {table} set count = count - 1 where step = '{step.Code}'");
    }

    private async Task StoreAndFoldAsync(long folded, IEnumerable<DateTimeOffset> times)
    {
        var events = times.Select(time => TestApi.Event(_sender, time)).ToList();
        await _api.StoreAsync(events);
        var counters = ProjectionShard.Of(CountersProjection.Definition);
        Assert.True(await counters.FoldAsync(_api.Database, folded, folded + events.Count, CancellationToken.None));
    }

    private async Task<IReadOnlyList<Difference>> DifferencesAsync(
        DateTimeOffset? since = null, DateTimeOffset? until = null, int most = 10)
    {
        var verify = new Verify(_api.Database);
        var counters = CountersProjection.Definition;
        return (await verify.RunAsync(counters, since, until, most, CancellationToken.None)).Differences;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
