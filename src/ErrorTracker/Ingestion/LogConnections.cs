using Npgsql;

namespace ErrorTracker.Ingestion;

/// <summary>The connections of the lanes, and theirs alone: however many readers wait, there is one for each commit. They give up soon, as commits are tried again.</summary>
public sealed class LogConnections(NpgsqlConnectionStringBuilder settings) : IAsyncDisposable
{
    public NpgsqlDataSource Source { get; } = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(settings.ConnectionString)
    {
        MaxPoolSize = 4, Timeout = 3, CommandTimeout = 10, CancellationTimeout = 1000, MaxAutoPrepare = 10, AutoPrepareMinUsages = 2, NoResetOnClose = true,
    });

    public ValueTask DisposeAsync() => Source.DisposeAsync();
}
