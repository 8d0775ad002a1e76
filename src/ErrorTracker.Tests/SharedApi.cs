namespace ErrorTracker.Tests;

/// <summary>
/// A server, and a host on it that the tests of a collection share: each test registers an application of its own.
/// </summary>
public sealed class SharedApi : IAsyncLifetime
{
    public TestServer Server { get; } = new();

    public TestApi Api { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        await Server.InitializeAsync();
        Api = await TestApi.StartAsync(await Server.NewDatabaseAsync());
    }

    public async Task DisposeAsync()
    {
        if (Api is not null) await Api.DisposeAsync();
        await Server.DisposeAsync();
    }
}

/// <summary>Tests of this collection run one after another; pure tests run beside them.</summary>
[CollectionDefinition(nameof(OnPostgres))]
public sealed class OnPostgres : ICollectionFixture<SharedApi>;

/// <summary>
/// The same on a server of its own, beside the first: tests there may set what holds for a whole server.
/// </summary>
[CollectionDefinition(nameof(OnAnotherPostgres))]
public sealed class OnAnotherPostgres : ICollectionFixture<SharedApi>;
