using System.Text.Json;

namespace ErrorTracker.Tests.Projections;

[Collection(nameof(OnPostgres))]
public sealed class ReadProjectionsTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task an_event_that_has_just_arrived_does_not_make_a_shard_look_stopped()
    {
        await using var api = await StartAsync();
        await api.ReportAsync(await api.RegisterAsync());
        Assert.Equal("catching up", (await CountersAsync(api)).GetProperty("state").GetString());
    }

    [Fact]
    public async Task a_log_that_no_node_folds_is_told_of()
    {
        await using var api = await StartAsync();
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 50).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));
        var counters = await CountersAsync(api);
        Assert.Equal("stopped", counters.GetProperty("state").GetString());
        Assert.Equal(50, counters.GetProperty("lag").GetInt32());
    }

    private async Task<TestApi> StartAsync() =>
        await TestApi.StartAsync(await shared.Server.NewDatabaseAsync(), ("ErrorTracker:Projections", "false"));

    private static async Task<JsonElement> CountersAsync(TestApi api) => (await api.GetAsync("/projections"))[0];
}
