using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>A PostgreSQL cluster owned by this process: made in a data folder, reached by a Unix socket only, stopped with its owner.</summary>
/// <remarks>
/// The server is forked from a thread that lives as long as the server may, with <c>pdeathsig INT</c>: the kernel stops it
/// cleanly even when this process is killed. One owner at a time holds the folder's lock; whoever gets it next first waits
/// until no server of a former owner works in the data folder.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class PrivateCluster : IAsyncDisposable
{
    private const int Interrupt = 2, Quit = 3, LongestSocketPath = 107;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60), StopPatience = TimeSpan.FromSeconds(10);

    /// <summary>
    /// What pays for a log of JSON (measured): checkpoints that do not follow each other at once, and a compression that costs a fraction of PostgreSQL's own.
    /// Nothing here is about safety: each commit is flushed.
    /// </summary>
    private static readonly string[] Tuning = ["-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB", "-c", "wal_compression=lz4", "-c", "default_toast_compression=lz4"];

    private readonly FileStream _ownership;
    private readonly string _data, _sockets, _log, _binaries;
    private readonly TaskCompletionSource _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _pid;

    private PrivateCluster(FileStream ownership, string folder, string binaries)
    {
        _ownership = ownership;
        _binaries = binaries;
        _data = Path.Combine(folder, "data");
        _sockets = Path.Combine(folder, "socket");
        _log = Path.Combine(folder, "postgres.log");
    }

    public string ConnectionString => ConnectionStringOf(_sockets);

    private static string ConnectionStringOf(string sockets) => $"Host={sockets};Username=errortracker;Database=postgres";

    /// <summary>As root the folder must be one that the user <c>postgres</c> can reach, which root's home is not.</summary>
    public static string DefaultFolder => Environment.IsPrivilegedProcess
        ? "/var/lib/errortracker"
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create), "errortracker");

    public static async Task<PrivateCluster> StartAsync(string folder, string? binaries, CancellationToken stop)
    {
        folder = Path.GetFullPath(folder);
        binaries ??= FindBinaries();
        var cluster = new PrivateCluster(TakeOwnership(folder), folder, binaries);
        try
        {
            await cluster.ClearRemainsAsync(stop);
            if (!File.Exists(Path.Combine(cluster._data, "PG_VERSION"))) await cluster.InitializeAsync(stop);
            await cluster.LaunchAsync(stop);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    /// <summary>The connection string of a cluster that another process owns and that answers; null if there is none.</summary>
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

    /// <summary>Fast shutdown; an immediate one (recovered from the log at the next start) if that takes over ten seconds.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_pid != 0)
        {
            Signal(_pid, Interrupt);
            if (await Task.WhenAny(_exited.Task, Task.Delay(StopPatience)) != _exited.Task) Signal(_pid, Quit);
            await _exited.Task;
        }
        await _ownership.DisposeAsync();
    }

    private static FileStream TakeOwnership(string folder)
    {
        Directory.CreateDirectory(folder);
        try
        {
            return new FileStream(Path.Combine(folder, "owner.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartupException($"The data folder {folder} is in use by another ErrorTracker. Stop that one, or choose another folder with ErrorTracker__DataFolder.");
        }
    }

    /// <summary>The highest installed Debian-style version, else what PATH offers.</summary>
    internal static string FindBinaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(d => int.TryParse(Path.GetFileName(d), out var v) ? v : 0).Select(d => Path.Combine(d, "bin"))
            : [];
        return installed.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries))
                   .FirstOrDefault(d => File.Exists(Path.Combine(d, "postgres")) && File.Exists(Path.Combine(d, "initdb")))
               ?? throw new StartupException("PostgreSQL is not installed. Start with ./run, which installs it, or set ConnectionStrings__ErrorTracker to a server of yours.");
    }

    private async Task ClearRemainsAsync(CancellationToken stop)
    {
        if (!Directory.Exists(_data)) return;
        await EventuallyAsync(() => !ProcessesIn(_data).Any(), "a server of an earlier owner still works in " + _data, stop);
        File.Delete(Path.Combine(_data, "postmaster.pid"));
        if (Directory.Exists(_sockets))
            foreach (var leftover in Directory.GetFiles(_sockets, ".s.PGSQL*")) File.Delete(leftover);
    }

    /// <summary>A server and all its processes work in their data folder.</summary>
    internal static IEnumerable<int> ProcessesIn(string folder) => Directory.Exists("/proc") ? Directory.GetDirectories("/proc").Where(process =>
    {
        try
        {
            return char.IsDigit(Path.GetFileName(process)[0]) && Directory.ResolveLinkTarget(Path.Combine(process, "cwd"), false)?.FullName == folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }).Select(process => int.Parse(Path.GetFileName(process))) : [];

    private async Task InitializeAsync(CancellationToken stop)
    {
        if (Directory.Exists(_data)) Directory.Delete(_data, recursive: true);
        foreach (var folder in new[] { _data, _sockets })
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            if (Environment.IsPrivilegedProcess) await RunAsync("chown", ["postgres", folder], asPostgres: false, stop);
        }
        await RunAsync(Path.Combine(_binaries, "initdb"),
            ["-D", _data, "-U", "errortracker", "-A", "trust", "-E", "UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8", "--data-checksums"], asPostgres: Environment.IsPrivilegedProcess, stop);
    }

    internal static async Task RunAsync(string program, string[] arguments, bool asPostgres, CancellationToken stop)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        if (asPostgres) start.UserName = "postgres";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(stop), process.StandardError.ReadToEndAsync(stop));
        await process.WaitForExitAsync(stop);
        if (process.ExitCode != 0) throw new StartupException($"{Path.GetFileName(program)} failed: {(await errors).Trim()} {(await output).Trim()}".Trim());
    }

    private async Task LaunchAsync(CancellationToken stop)
    {
        if (Path.Combine(_sockets, ".s.PGSQL.5432").Length > LongestSocketPath)
            throw new StartupException($"The path of {_sockets} is too long for a Unix socket: choose a shorter ErrorTracker__DataFolder.");

        string[] drop = Environment.IsPrivilegedProcess ? ["--reuid=postgres", "--regid=postgres", "--clear-groups"] : [];
        var start = new ProcessStartInfo("setsid",
            ["setpriv", .. drop, "--pdeathsig", "INT", "--", Path.Combine(_binaries, "postgres"), "-D", _data,
                "-c", "listen_addresses=", "-c", "port=5432", "-c", "unix_socket_directories=" + _sockets, "-c", "unix_socket_permissions=0700",
                "-c", "logging_collector=off", .. Tuning])
        { RedirectStandardError = true, RedirectStandardOutput = true, WorkingDirectory = "/" };

        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => Attend(start, started)) { IsBackground = true, Name = "PostgreSQL" }.Start();
        await started.Task;
        await EventuallyAsync(() => _exited.Task.IsCompleted || IsReady(), "PostgreSQL did not get ready; see " + _log, stop);
        if (_exited.Task.IsCompleted) throw new StartupException("PostgreSQL ended while starting; see " + _log);
    }

    private void Attend(ProcessStartInfo start, TaskCompletionSource started)
    {
        try
        {
            using var log = new StreamWriter(_log, append: true) { AutoFlush = true };
            using var server = new Process { StartInfo = start };
            void Note(object _, DataReceivedEventArgs line)
            {
                if (line.Data is not null) lock (log) log.WriteLine(line.Data);
            }
            server.ErrorDataReceived += Note;
            server.OutputDataReceived += Note;
            server.Start();
            _pid = server.Id;
            server.BeginErrorReadLine();
            server.BeginOutputReadLine();
            started.SetResult();
            server.WaitForExit();
        }
        catch (Exception e)
        {
            started.TrySetException(new StartupException("PostgreSQL could not be started: " + e.Message));
        }
        finally
        {
            _exited.TrySetResult();
        }
    }

    /// <summary>Ready is what <c>postmaster.pid</c> says on line 8, if line 1 shows that it is this server speaking, not a crashed one.</summary>
    private bool IsReady()
    {
        try
        {
            var lines = File.ReadAllLines(Path.Combine(_data, "postmaster.pid"));
            return lines.Length >= 8 && lines[0].Trim() == _pid.ToString() && lines[7].Trim() == "ready";
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task EventuallyAsync(Func<bool> condition, string otherwise, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > Patience) throw new StartupException(otherwise);
            await Task.Delay(20, stop);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    private static extern int Signal(int pid, int signal);
}
