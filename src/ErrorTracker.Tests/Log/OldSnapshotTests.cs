using System.Data;
using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Projections;
using ErrorTracker.Statistics;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Log;

/// <summary>A snapshot that somebody forgets, as psql and pg_dump do, keeps each row that is changed since.</summary>
[Collection(nameof(OnPostgres))]
public sealed class OldSnapshotTests(SharedApi shared)
{
    [Fact]
    public async Task statistics_do_not_visit_the_remains_of_minutes_that_are_over()
    {
        await using var api = await TestApi.StartAsync(
            await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        var counters = ProjectionShard.Of(CountersProjection.Definition);
        await using var forgotten = await api.Database.OpenConnectionAsync();
        await using var transaction = await forgotten.BeginTransactionAsync(IsolationLevel.RepeatableRead);
        await using (var snapshot = forgotten.CreateCommand())
        {
            snapshot.CommandText = "select 1";
            await snapshot.ExecuteScalarAsync();
        }
        var (start, folded, few) = (DateTimeOffset.UtcNow.AddMinutes(-30), 0L, 0L);
        for (var minute = 0; minute < 20; minute++)
        {
            for (var fold = 0; fold < 10; fold++)
            {
                var at = start.AddMinutes(minute);
                await api.StoreAsync(Enumerable.Range(0, 20).Select(i => TestApi.Event(sender, at, message: $"m{i}")));
                var ceiling = folded + 20;
                Assert.True(await counters.FoldAsync(api.Database, folded, ceiling, CancellationToken.None));
                folded = ceiling;
            }
            await api.ClosedAsync();
            if (minute == 1) few = await OpenRowsVisitedAsync();
        }
        Assert.InRange(await OpenRowsVisitedAsync(), 0, few + 20);

        async Task<long> OpenRowsVisitedAsync()
        {
            await using var connection = await api.Database.OpenConnectionAsync();
            var question = new Question(sender.Id, new(start.AddHours(-1), start.AddHours(1)), Step.OfLevels);
            const string explain = "explain (analyze, buffers, format json) ";
            await using var command = question.Ask(explain + ByLevel.Sql, new(folded, start.AddHours(1), folded, folded, 0));
            command.Connection = connection;
            var plan = JsonDocument.Parse((string)(await command.ExecuteScalarAsync())!).RootElement;
            return Blocks(plan[0].GetProperty("Plan"));
        }
    }

    /// <summary>Pages that were read of the table of open minutes and its index, over the whole plan.</summary>
    private static long Blocks(JsonElement node)
    {
        var isOpen = node.TryGetProperty("Relation Name", out var table)
            && table.GetString()!.StartsWith("open_minutes", StringComparison.Ordinal);
        long Read(string blocks) => node.GetProperty(blocks).GetInt64();
        var own = isOpen ? Read("Shared Hit Blocks") + Read("Shared Read Blocks") : 0;
        return own + (node.TryGetProperty("Plans", out var plans) ? plans.EnumerateArray().Sum(Blocks) : 0);
    }
}
