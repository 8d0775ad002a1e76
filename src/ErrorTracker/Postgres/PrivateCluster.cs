using System.Runtime.Versioning;
using Npgsql;

namespace ErrorTracker.Postgres;

/// <summary>
/// A PostgreSQL cluster owned by this process: made in a data folder, reached by a Unix socket only, stopped with its
/// owner.
/// </summary>
/// <remarks>
/// One owner at a time holds the folder's lock; whoever gets it next first waits until no server of a former owner
/// works in the data folder. A server that ends while its owner runs, whatever ended it, is started again: <see
/// cref="Revival"/>.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class PrivateCluster : IAsyncDisposable
{
    private readonly FileStream _ownership;
    private readonly ClusterFolder _folder;
    private readonly CancellationTokenSource _stopping = new();
    private PostgresServer? _server;
    private Revival? _revival;

    private PrivateCluster(FileStream ownership, ClusterFolder folder) => (_ownership, _folder) = (ownership, folder);

    public string ConnectionString => ConnectionStringOf(_folder.Sockets);

    /// <summary>Says what becomes of the server, for as long as this lives.</summary>
    public Revival Revival => _revival!;

    private static string ConnectionStringOf(string sockets) =>
        $"Host={sockets};Username=errortracker;Database=postgres";

    /// <summary>
    /// As root the folder must be one that the user <c>postgres</c> can reach, which root's home is not.
    /// </summary>
    public static string DefaultFolder => Environment.IsPrivilegedProcess
        ? "/var/lib/errortracker"
        : Path.Combine(
            Environment.GetFolderPath(
                Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create),
            "errortracker");

    public static async Task<PrivateCluster> StartAsync(string folder, string? binaries, CancellationToken stop)
    {
        binaries ??= PostgresPrograms.FindBinaries();
        var place = new ClusterFolder(Path.GetFullPath(folder));
        var cluster = new PrivateCluster(place.TakeOwnership(), place);
        try
        {
            await place.ClearAsync(stop);
            if (!place.HasCluster) await place.InitializeAsync(binaries, stop);
            cluster._server = await PostgresServer.LaunchAsync(place, binaries);
            await cluster._server.ReadyAsync(stop);
            cluster._revival = new Revival(place, binaries, cluster._server, cluster._stopping.Token);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// The connection string of a cluster that another process owns and that answers; null if there is none.
    /// </summary>
    public static async Task<string?> FindRunningAsync(string folder)
    {
        var connectionString = ConnectionStringOf(Path.Combine(Path.GetFullPath(folder), "socket"));
        try
        {
            await using var connection = new NpgsqlConnection(connectionString);
            await connection.OpenAsync();
            return connectionString;
        }
        catch (NpgsqlException)
        {
            return null;
        }
    }

    /// <summary>The server is stopped for good, and then the folder is free for another owner.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        var server = _revival is null ? _server : await _revival.LastAsync();
        if (server is not null) await server.StopAsync();
        await _ownership.DisposeAsync();
        _stopping.Dispose();
    }
}
