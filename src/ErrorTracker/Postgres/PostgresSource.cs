using System.Runtime.Versioning;
using ErrorTracker.Configuration;
using Npgsql;

namespace ErrorTracker.Postgres;

/// <summary>What a process wants a database for.</summary>
internal enum DatabaseUse
{
    /// <summary>Nothing: it gets none.</summary>
    None,

    /// <summary>A command, which may also work on the private cluster of a host that runs.</summary>
    Command,

    /// <summary>A host, which owns its private cluster.</summary>
    Host,
}

/// <summary>
/// Postgres: where PostgreSQL comes from. It is the configured server, else a private cluster that lives as long as
/// this object. This room owns the programs, the folder and the processes of that cluster, and starts it again when it
/// ends; it knows nothing of what is stored. It may use Background, Limits, Configuration and Http.
/// </summary>
internal sealed class PostgresSource : IAsyncDisposable
{
    private readonly IAsyncDisposable? _owned;

    private PostgresSource(string connectionString, string description, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        Description = description;
        _owned = owned;
    }

    public string ConnectionString { get; }

    /// <summary>For people; it never has a password in it.</summary>
    public string Description { get; }

    /// <summary>Why this process is still root, though it need not be; null if it is not.</summary>
    private string? KeptPrivilege { get; init; }

    /// <summary>
    /// From now on the host logs what becomes of its private cluster, and ends if that cannot be brought back.
    /// </summary>
    public void Supervise(WebApplication app)
    {
        if (_owned is PrivateCluster cluster && OperatingSystem.IsLinux()) app.Supervise(cluster);
        if (KeptPrivilege is not null) app.Logger.LogWarning("The API runs as root: {Reason}", KeptPrivilege);
    }

    public ValueTask DisposeAsync() => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>The configured server, else a private cluster in the data folder.</summary>
    public static async Task<PostgresSource> AttachAsync(Settings settings, DatabaseUse use)
    {
        if (settings.ConnectionString is { } configured)
            return new PostgresSource(configured, Describe(configured), owned: null);
        if (use == DatabaseUse.None) return new PostgresSource("Host=none", "none", owned: null);
        if (!OperatingSystem.IsLinux())
            throw new StartupException(
                "A private PostgreSQL cluster needs Linux: set ConnectionStrings__ErrorTracker to a server of yours.");
        if (settings.PostgresBin is { } binaries && !HasServer(binaries))
            throw new StartupException("ErrorTracker__PostgresBin: there are no postgres and initdb in this folder.");

        var folder = settings.DataFolder ?? DefaultFolder();
        var description = $"private cluster in {Path.GetFullPath(folder)}";
        if (use == DatabaseUse.Command && await PrivateCluster.FindRunningAsync(folder) is { } running)
            return new PostgresSource(running, description, owned: null);
        var privilege = use == DatabaseUse.Command ? null : await Privilege.GiveUpAsync(folder);
        Privilege.Hide();
        try
        {
            var cluster = await PrivateCluster.StartAsync(folder, settings.PostgresBin, CancellationToken.None);
            return new PostgresSource(cluster.ConnectionString, description, cluster) { KeptPrivilege = privilege };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The data folder {Path.GetFullPath(folder)} cannot be used: {e.Message} "
                + "Choose another one with ErrorTracker__DataFolder.");
        }
    }

    /// <summary>Not every user has a home.</summary>
    [SupportedOSPlatform("linux")]
    private static string DefaultFolder()
    {
        try
        {
            return PrivateCluster.DefaultFolder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StartupException(
                $"The default data folder cannot be used: {e.Message} "
                + "Choose another one with ErrorTracker__DataFolder.");
        }
    }

    private static bool HasServer(string folder) =>
        File.Exists(Path.Combine(folder, "postgres")) && File.Exists(Path.Combine(folder, "initdb"));

    private static string Describe(string connectionString)
    {
        var parts = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{parts.Database} on {parts.Host}:{parts.Port}";
    }
}
