using ErrorTracker.Tests.Issues;

namespace ErrorTracker.Tests.Counters;

/// <summary>What the tables hold depends on the log alone.</summary>
[Collection(nameof(OnPostgres))]
public sealed class GroupsTests(SharedApi shared)
{
    [Fact]
    public async Task groups_have_the_same_numbers_and_counts_in_whatever_ranges_the_log_was_folded()
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 21);
        await log.SendAsync(150);
        await log.MoveMarkAsync();
        await log.FoldAtOnceAsync();
        var rows = await log.RowsAsync();
        for (var app = 0; app < log.Senders.Length; app++)
        {
            var oracle = await log.OracleAsync(app);
            var numbers = oracle.Events.Select(e => $"{oracle.NumberOf(e)} {e.Key}").Distinct().Order();
            var stored = await log.Api.ScalarAsync<string[]>(
                $"""
                select array_agg(g.number || ' ' || g.group_key order by g.number) from errortracker.groups_v5 as g
                where g.tenant_id = '{log.Senders[app].Id}'
                """);
            Assert.Equal(numbers, stored.Order());
        }

        foreach (var length in new[] { 1, 7, 100 })
        {
            await log.LoseProgressAsync();
            await log.FoldAsync(length);
            await log.CloseAsync();
            Same(rows, await log.RowsAsync(), $"in ranges of {length}");
        }
        foreach (var size in new[] { 40, 1_000 })
        {
            await log.RebuildAsync(size);
            Same(rows, await log.RowsAsync(), $"rebuilt of parts of {size}");
        }
    }

    [Fact]
    public async Task closing_minutes_between_folds_changes_nothing()
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 22);
        for (var i = 0; i < 3; i++)
        {
            await log.SendAsync(50);
            await log.FoldAsync(30);
            await log.CloseAsync();
        }
        var rows = await log.RowsAsync();
        await log.LoseProgressAsync();
        await log.FoldAtOnceAsync();
        Same(rows, await log.RowsAsync(), "folded at once");
    }

    private static void Same(Dictionary<string, string> expected, Dictionary<string, string> rows, string how)
    {
        foreach (var (table, text) in expected)
            if (rows[table] != text)
                Assert.Fail($"{table} {how}:\n{Only(text, rows[table])}\ninstead of\n{Only(rows[table], text)}");
    }

    private static string Only(string without, string of) =>
        string.Join("\n", of.Split("; ").Except(without.Split("; ")).Take(3));
}
