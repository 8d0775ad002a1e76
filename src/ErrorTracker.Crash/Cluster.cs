using ErrorTracker.Configuration;
using ErrorTracker.Postgres;
using Npgsql;

namespace ErrorTracker.Crash;

/// <summary>Where a disturbance happens.</summary>
internal enum Ground
{
    /// <summary>A PostgreSQL that the harness starts, stops and starts again.</summary>
    Usual,

    /// <summary>The same, in a file system that is soon full.</summary>
    SmallDisk,

    /// <summary>The private PostgreSQL of the API, which has to see to it by itself.</summary>
    OwnedByApi,
}

/// <summary>A PostgreSQL whose processes are there to be killed, paused and started again.</summary>
internal sealed class Cluster : IAsyncDisposable
{
    private const int SmallMegabytes = 700;

    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(30), LongestEnd = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private static readonly string? Owner = Environment.IsPrivilegedProcess ? PostgresPrograms.User : null;

    private readonly Ground _ground;
    private readonly string _data, _sockets, _ballast;
    private readonly string _binaries = PostgresPrograms.FindBinaries();
    private Child? _server;

    private Cluster(string folder, Ground ground)
    {
        Folder = folder;
        Log = Path.Combine(folder, "postgres.log");
        _ground = ground;
        _data = Path.Combine(folder, "data");
        _sockets = Path.Combine(folder, "socket");
        _ballast = Path.Combine(_data, "ballast");
        // Without a pool, none of its connections is broken when the server comes back.
        Database = NpgsqlDataSource.Create(ConnectionString + ";Pooling=false;Timeout=5;Command Timeout=30");
    }

    /// <summary>Of its data, its socket and its log.</summary>
    public string Folder { get; }

    /// <summary>The file to which it writes.</summary>
    public string Log { get; }

    public string ConnectionString => $"Host={_sockets};Username=errortracker;Database=postgres";

    /// <summary>The harness's own access to it.</summary>
    public NpgsqlDataSource Database { get; }

    /// <summary>One that the API is to own is not made yet.</summary>
    public static async Task<Cluster> CreateAsync(string folder, Ground ground, CancellationToken stop)
    {
        if (ground == Ground.OwnedByApi) return new Cluster(Path.Combine(folder, "owned"), ground);
        var cluster = new Cluster(folder, ground);
        try
        {
            await cluster.InitializeAsync(stop);
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
        string[] command =
        [
            Path.Combine(_binaries, "postgres"), "-D", _data,
            "-c", "listen_addresses=",
            "-c", "unix_socket_directories=" + _sockets,
            "-c", "logging_collector=off",
        ];
        _server = await Child.StartAsync(Log, command, Owner);
    }

    public bool HasEnded => _server is null or { Exited.IsCompleted: true };

    /// <summary>
    /// Ends the server, and waits until the last of its processes has noticed: before, none can be started in its
    /// place.
    /// </summary>
    public async Task EndAsync(int signal)
    {
        if (_server is not null) await _server.EndAsync(signal, LongestEnd);
        for (var deadline = DateTime.UtcNow + LongestEnd; ; await Task.Delay(Pause))
        {
            var left = ClusterFolder.ProcessesIn(_data).ToList();
            if (left.Count == 0) return;
            if (DateTime.UtcNow < deadline) continue;
            foreach (var process in left) Child.Signal(process, Child.Kill);
        }
    }

    /// <summary>The server first when it is stopped: it starts no more processes then.</summary>
    public void SignalAll(int signal)
    {
        _server?.Send(signal);
        foreach (var process in ClusterFolder.ProcessesIn(_data)) Child.Signal(process, signal);
    }

    /// <summary>False if there is none just now.</summary>
    public bool SignalPostmaster(int signal)
    {
        try
        {
            var id = File.ReadLines(Path.Combine(_data, "postmaster.pid")).FirstOrDefault();
            return int.TryParse(id, out var postmaster)
                && ClusterFolder.ProcessesIn(_data).Contains(postmaster)
                && Child.Signal(postmaster, signal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    public async Task TerminateConnectionsAsync(CancellationToken stop)
    {
        await using var command = Database.CreateCommand(
            """
            select pg_terminate_backend(pid)
            from pg_stat_activity
            where backend_type = 'client backend' and pid <> pg_backend_pid()
            """);
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
        for (var deadline = DateTime.UtcNow + LongestStart; ; await Task.Delay(Pause, stop))
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
        if (_ground == Ground.SmallDisk) await UnmountAsync(_data);
    }

    private async Task InitializeAsync(CancellationToken stop)
    {
        foreach (var part in new[] { _data, _sockets })
        {
            Directory.CreateDirectory(part, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (_ground == Ground.SmallDisk && part == _data) await MountAsync(part, stop);
            if (Owner is not null) await PostgresPrograms.RunAsync("chown", [Owner, part], asPostgres: false, stop);
        }
        string[] settings =
        [
            "-D", _data, "-U", "errortracker", "-A", "trust", "-E", "UTF8",
            "--lc-collate=C", "--lc-ctype=C.UTF-8", "--no-sync",
        ];
        await PostgresPrograms.RunAsync(
            Path.Combine(_binaries, "initdb"), settings, asPostgres: Owner is not null, stop);
    }

    private static Task MountAsync(string folder, CancellationToken stop) =>
        PostgresPrograms.RunAsync(
            "mount",
            ["-t", "tmpfs", "-o", $"size={SmallMegabytes}m,mode=0700", "errortracker-crash", folder],
            asPostgres: false,
            stop);

    private static async Task UnmountAsync(string folder)
    {
        if (File.ReadLines("/proc/mounts").Any(line => line.Contains($" {folder} ")))
            await PostgresPrograms.RunAsync("umount", [folder], asPostgres: false, CancellationToken.None);
    }
}
