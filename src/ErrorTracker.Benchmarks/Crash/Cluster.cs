using ErrorTracker.Hosting;
using Npgsql;

namespace ErrorTracker.Benchmarks.Crash;

/// <summary>A PostgreSQL whose processes are there to be killed, paused and started again.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private const int SmallMegabytes = 700;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(20);

    private static readonly string? Owner = Environment.IsPrivilegedProcess ? "postgres" : null;

    private readonly string _data, _sockets, _log, _ballast, _binaries = PrivateCluster.FindBinaries();
    private readonly bool _isSmall;
    private Child? _server;

    private Cluster(string folder, bool isSmall)
    {
        (_data, _sockets, _log, _isSmall) = (Path.Combine(folder, "data"), Path.Combine(folder, "socket"), Path.Combine(folder, "postgres.log"), isSmall);
        _ballast = Path.Combine(_data, "ballast");
        // Without a pool, none of its connections is broken when the server comes back.
        Database = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false;Timeout=5;Command Timeout=30");
    }

    public string ConnectionString => $"Host={_sockets};Username=errortracker;Database=postgres";

    /// <summary>The harness's own access to it.</summary>
    public NpgsqlDataSource Database { get; }

    /// <param name="isSmall">Its data folder is a file system that is soon full.</param>
    public static async Task<Cluster> CreateAsync(string folder, bool isSmall, CancellationToken stop)
    {
        var cluster = new Cluster(folder, isSmall);
        try
        {
            foreach (var part in new[] { cluster._data, cluster._sockets })
            {
                Directory.CreateDirectory(part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                if (isSmall && part == cluster._data) await MountAsync(part, stop);
                if (Owner is not null) await PrivateCluster.RunAsync("chown", [Owner, part], asPostgres: false, stop);
            }
            await PrivateCluster.RunAsync(Path.Combine(cluster._binaries, "initdb"),
                ["-D", cluster._data, "-U", "errortracker", "-A", "trust", "-E", "UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8", "--no-sync"], asPostgres: Owner is not null, stop);
            await cluster.StartAsync();
            await cluster.AnsweringAsync(stop);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether a small file system can be had here.</summary>
    public static async Task<bool> CanBeSmallAsync(CancellationToken stop)
    {
        var folder = Directory.CreateTempSubdirectory("errortracker-crash-mount-").FullName;
        try
        {
            await MountAsync(folder, stop);
            await UnmountAsync(folder);
            return true;
        }
        catch (Exception e) when (e is StartupException or System.ComponentModel.Win32Exception)
        {
            return false;
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    /// <summary>Launches the server; it may have to recover before it answers.</summary>
    public async Task StartAsync()
    {
        File.Delete(Path.Combine(_data, "postmaster.pid")); // its number may be that of another process by now
        _server = await Child.StartAsync(_log,
            [Path.Combine(_binaries, "postgres"), "-D", _data, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + _sockets, "-c", "logging_collector=off"], Owner);
    }

    public bool HasEnded => _server is null or { Exited.IsCompleted: true };

    /// <summary>Ends the server, and waits until the last of its processes has noticed: before, none can be started in its place.</summary>
    public async Task EndAsync(int signal)
    {
        if (_server is not null) await _server.EndAsync(signal, Patience);
        for (var deadline = DateTime.UtcNow + Patience; PrivateCluster.ProcessesIn(_data).ToList() is { Count: > 0 } left; await Task.Delay(Pause))
            if (DateTime.UtcNow > deadline)
                foreach (var process in left) Child.Signal(process, Child.Kill);
    }

    /// <summary>The server first when it is stopped: it starts no more processes then.</summary>
    public void SignalAll(int signal)
    {
        _server?.Send(signal);
        foreach (var process in PrivateCluster.ProcessesIn(_data)) Child.Signal(process, signal);
    }

    public async Task TerminateConnectionsAsync(CancellationToken stop)
    {
        await using var command = Database.CreateCommand("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()");
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Leaves no byte free.</summary>
    public void Fill()
    {
        var block = new byte[64 * 1024];
        using var ballast = new FileStream(_ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = block.Length; size >= 4096;)
            try
            {
                ballast.Write(block, 0, size);
            }
            catch (IOException)
            {
                size /= 2;
            }
    }

    public void Relieve() => File.Delete(_ballast);

    public async Task<T> ScalarAsync<T>(string sql, CancellationToken stop)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync(stop))!;
    }

    public async Task AnsweringAsync(CancellationToken stop)
    {
        for (var deadline = DateTime.UtcNow + Patience; ; await Task.Delay(Pause, stop))
            try
            {
                await ScalarAsync<int>("select 1", stop);
                return;
            }
            catch (NpgsqlException) when (DateTime.UtcNow < deadline)
            {
                // It is starting or recovering.
            }
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        SignalAll(Child.Continue);
        await EndAsync(Child.Interrupt);
        if (_isSmall) await UnmountAsync(_data);
    }

    private static Task MountAsync(string folder, CancellationToken stop) =>
        PrivateCluster.RunAsync("mount", ["-t", "tmpfs", "-o", $"size={SmallMegabytes}m,mode=0700", "errortracker-crash", folder], asPostgres: false, stop);

    private static async Task UnmountAsync(string folder)
    {
        if (File.ReadLines("/proc/mounts").Any(line => line.Contains($" {folder} "))) await PrivateCluster.RunAsync("umount", [folder], asPostgres: false, CancellationToken.None);
    }
}
