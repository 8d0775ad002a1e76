using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using ErrorTracker.Configuration;

namespace ErrorTracker.Postgres;

/// <summary>
/// The folder of a private cluster: its data, its socket, its log, and the lock that one owner holds at a time.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class ClusterFolder(string root)
{
    private const int LongestSocketPath = 107, Kill = 9;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>
    /// How long the processes of a server whose postmaster is dead may take to notice that, before they are killed.
    /// </summary>
    private static readonly TimeSpan OrphansTimeout = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20), ClearTimeout = TimeSpan.FromSeconds(60);

    public string Data { get; } = Path.Combine(root, "data");

    public string Sockets { get; } = Path.Combine(root, "socket");

    public string Log { get; } = Path.Combine(root, "postgres.log");

    /// <summary>The postmaster's lock file, which also tells its state.</summary>
    public string StateFile => Path.Combine(Data, "postmaster.pid");

    public bool HasCluster => File.Exists(Path.Combine(Data, "PG_VERSION"));

    /// <summary>The lock is held until the stream is disposed.</summary>
    public FileStream TakeOwnership()
    {
        Directory.CreateDirectory(root);
        try
        {
            return new(Path.Combine(root, "owner.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            throw new StartupException(
                $"The data folder {root} is in use by another ErrorTracker. "
                + "Stop that one, or choose another folder with ErrorTracker__DataFolder.");
        }
    }

    public void RequireShortPath()
    {
        if (Path.Combine(Sockets, ".s.PGSQL.5432").Length > LongestSocketPath)
            throw new StartupException(
                $"The path of {Sockets} is too long for a Unix socket: choose a shorter ErrorTracker__DataFolder.");
    }

    public async Task InitializeAsync(string binaries, CancellationToken stop)
    {
        if (Directory.Exists(Data)) Directory.Delete(Data, recursive: true);
        foreach (var folder in new[] { Data, Sockets })
        {
            Directory.CreateDirectory(folder, OwnerOnly);
            if (Environment.IsPrivilegedProcess)
                await PostgresPrograms.RunAsync("chown", [PostgresPrograms.User, folder], asPostgres: false, stop);
        }
        string[] options =
        [
            "-D", Data, "-U", "errortracker", "-A", "trust",
            "-E", "UTF8", "--lc-collate=C", "--lc-ctype=C.UTF-8", "--data-checksums",
        ];
        var initdb = Path.Combine(binaries, "initdb");
        await PostgresPrograms.RunAsync(initdb, options, asPostgres: Environment.IsPrivilegedProcess, stop);
    }

    /// <summary>
    /// Waits until no process of an earlier owner's server works here, which may shut down in good order, and clears
    /// what it left.
    /// </summary>
    public async Task ClearAsync(CancellationToken stop)
    {
        if (!Directory.Exists(Data)) return;
        var otherwise = "a server of an earlier owner still works in " + Data;
        await EventuallyAsync(() => !ProcessesIn(Data).Any(), ClearTimeout, otherwise, stop);
        ClearFiles();
    }

    /// <summary>
    /// The same after the end of a postmaster of ours: those of its processes that do not notice it are killed.
    /// </summary>
    public async Task ClearOrphansAsync(CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        await EventuallyAsync(() =>
        {
            var orphans = ProcessesIn(Data).ToList();
            if (watch.Elapsed > OrphansTimeout)
                foreach (var orphan in orphans) _ = PostgresServer.Signal(orphan, Kill);
            return orphans.Count == 0;
        }, ClearTimeout, "processes of the server that ended still work in " + Data, stop);
        ClearFiles();
    }

    /// <summary>A server and all its processes work in their data folder.</summary>
    public static IEnumerable<int> ProcessesIn(string folder)
    {
        var processes = Directory.Exists("/proc") ? Directory.GetDirectories("/proc") : [];
        return processes
            .Where(process => WorksIn(process, folder))
            .Select(process => int.Parse(Path.GetFileName(process), CultureInfo.InvariantCulture));
    }

    public static async Task EventuallyAsync(
        Func<bool> condition, TimeSpan limit, string otherwise, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > limit) throw new StartupException(otherwise);
            await Task.Delay(Pause, stop);
        }
    }

    /// <summary>False as well for a process that has ended meanwhile or is another user's.</summary>
    private static bool WorksIn(string process, string folder)
    {
        try
        {
            return char.IsDigit(Path.GetFileName(process)[0])
                && Directory.ResolveLinkTarget(Path.Combine(process, "cwd"), false)?.FullName == folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>
    /// The process id in the lock file of a server that crashed may be another process's by now, which would keep the
    /// next from starting. With its parent's there, PostgreSQL takes the file for a stale one, and clears the shared
    /// memory that it names.
    /// </summary>
    private void ClearFiles()
    {
        if (File.Exists(StateFile)) DisownStateFile();
        if (!Directory.Exists(Sockets)) return;
        foreach (var leftover in Directory.GetFiles(Sockets, ".s.PGSQL*")) File.Delete(leftover);
    }

    private void DisownStateFile()
    {
        try
        {
            File.WriteAllLines(StateFile, [$"{Environment.ProcessId}", .. File.ReadAllLines(StateFile).Skip(1)]);
        }
        catch (IOException)
        {
            File.Delete(StateFile); // the disk is full: PostgreSQL refuses a file that is empty, but does without one
        }
    }
}
