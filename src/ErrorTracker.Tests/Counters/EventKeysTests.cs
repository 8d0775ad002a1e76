using ErrorTracker.Tests.Issues;

namespace ErrorTracker.Tests.Counters;

/// <summary>What is stored beside events is a cache: without it, or with that of other rules, nothing is other.</summary>
[Collection(nameof(OnPostgres))]
public sealed class EventKeysTests(SharedApi shared)
{
    private static readonly string Strip =
        """
        update errortracker.mt_events set headers = case seq_id % 6
          when 0 then null
          when 2 then headers - 'key' - 'rules'
          when 4 then '{"key": "another", "rules": "g1.9", "release": "other", "environment": "other"}' end
        where seq_id % 2 = 0
        """;

    [Fact]
    public async Task events_without_the_stored_keys_of_the_serving_rules_are_counted_alike()
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 31, StoredFacts.Right);
        await log.SendAsync(150);
        await log.MoveMarkAsync();
        await log.RebuildAsync(partSize: 60);
        var rows = await log.RowsAsync();
        await log.ExecuteAsync(Strip);

        await log.RebuildAsync(partSize: 60);
        Assert.Equal(rows, await log.RowsAsync());
        await log.LoseProgressAsync();
        await log.AssertAsync("all is tail, with half of its facts stripped", hasTexts: false);
        await log.FoldAsync(35);
        await log.AssertAsync("all is open, with half of its facts stripped", hasTexts: false);
        await log.CloseAsync();
        Assert.Equal(rows, await log.RowsAsync());
        await log.AssertAsync("all is closed, with half of its facts stripped", hasTexts: true);
    }

    /// <summary>
    /// The newest event with the stored key of a group is of another one, and is not folded yet when the group is told.
    /// </summary>
    [Fact]
    public async Task a_group_is_never_called_after_an_event_that_only_carries_its_key()
    {
        await using var log = await UnfoldedLog.StartAsync(shared, seed: 32);
        var at = RandomErrors.Start;
        await log.Api.StoreAsync([RandomErrors.Event(log.Senders[0], at, "INFO", "belt worn")]);
        await log.MoveMarkAsync();
        await log.Api.StoreAsync(
            [RandomErrors.Event(log.Senders[0], at.AddHours(1), "ERROR", "paper jam", stored: StoredFacts.OfOtherRules)]);
        await log.FoldOneAsync();
        await log.CloseAsync();
        await log.AssertAsync("the other event is not folded", hasTexts: false);
        await log.FoldAsync(1);
        await log.MoveMarkAsync();
        await log.CloseAsync();
        await log.AssertAsync("all is closed", hasTexts: true);
    }
}
