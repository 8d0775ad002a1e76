using ErrorTracker.Applications;

namespace ErrorTracker.Tests.Applications;

[Collection(nameof(OnAnotherPostgres))]
public sealed class IdCounterTests(SharedApi shared)
{
    [Fact]
    public async Task an_id_is_never_used_again()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        await api.RegisterAsync();
        var last = await api.RegisterAsync();
        await using (var session = api.Store.LightweightSession())
        {
            session.Delete<Application>(last.Id);
            await session.SaveChangesAsync();
        }
        Assert.Equal(3, (await api.RegisterAsync()).Id);
    }

    [Fact]
    public async Task a_database_without_a_counter_goes_on_after_its_largest_id()
    {
        await using var api = await TestApi.StartAsync(await shared.Server.NewDatabaseAsync());
        await using (var session = api.Store.LightweightSession())
        {
            foreach (var id in new[] { 1, 2, 7 }) session.Insert(new Application(id, $"of version 0.1.0: {id}", DateTimeOffset.UtcNow));
            await session.SaveChangesAsync();
        }
        Assert.Equal(8, (await api.RegisterAsync()).Id);
        Assert.Equal(9, (await api.RegisterAsync()).Id);
    }

    [Fact]
    public async Task nodes_that_register_at_once_share_one_sequence_without_gaps()
    {
        const int Each = 12;
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var one = await TestApi.StartAsync(connectionString);
        await using var other = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var senders = await Task.WhenAll(
            from node in new[] { one, other }
            from _ in Enumerable.Range(0, Each)
            select node.RegisterAsync());
        Assert.Equal(Enumerable.Range(1, 2 * Each), senders.Select(sender => sender.Id).Order());
    }

    [Fact]
    public async Task of_nodes_that_register_one_name_at_once_one_gets_it()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var one = await TestApi.StartAsync(connectionString);
        await using var other = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        for (var round = 1; round <= 5; round++)
        {
            var registered = await Task.WhenAll(
                from node in new[] { one, other }
                select RegisterApplication.RegisterAsync($"name {round}", node.Store, TimeProvider.System, CancellationToken.None));
            Assert.Equal(round, Assert.Single(registered, application => application is not null)!.Id);
        }
    }
}
