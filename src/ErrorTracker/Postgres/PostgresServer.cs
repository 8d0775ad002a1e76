using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ErrorTracker.Configuration;

namespace ErrorTracker.Postgres;

/// <summary>One run of a private cluster's server, from its launch to its end.</summary>
/// <remarks>
/// It is forked from a thread that lives as long as the server may, with <c>pdeathsig INT</c>: the kernel stops it
/// cleanly even when this process is killed.
/// </remarks>
[SupportedOSPlatform("linux")]
internal sealed class PostgresServer
{
    private const int Interrupt = 2, Quit = 3;

    /// <summary>Recovery from a crash may have to read 2 GB of WAL.</summary>
    private static readonly TimeSpan RecoveryTimeout = TimeSpan.FromMinutes(10);

    private static readonly TimeSpan StopTimeout = TimeSpan.FromSeconds(10);

    /// <summary>How long after its end is waited for what it wrote last.</summary>
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    /// <summary>
    /// What pays for a log of JSON (measured): checkpoints that do not follow each other at once, and a compression
    /// that costs a fraction of PostgreSQL's own. Nothing here is about safety: each commit is flushed.
    /// </summary>
    private static readonly string[] Tuning =
    [
        "-c", "shared_buffers=256MB", "-c", "max_wal_size=2GB",
    ];

    private static readonly string[] Lz4 = ["-c", "wal_compression=lz4", "-c", "default_toast_compression=lz4"];

    private readonly ClusterFolder _folder;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile int _pid;
    private volatile string? _reason;

    private PostgresServer(ClusterFolder folder) => _folder = folder;

    /// <summary>With its exit code, which is 128 and more if a signal ended it.</summary>
    public Task<int> Exited => _exited.Task;

    /// <summary>
    /// Somebody has told it to stop: it takes no more connections, but may wait for those that it has.
    /// </summary>
    public bool IsStopping => State is "stopping";

    public static async Task<PostgresServer> LaunchAsync(ClusterFolder folder, string binaries)
    {
        folder.RequireShortPath();
        string[] drop = Environment.IsPrivilegedProcess
            ? [$"--reuid={PostgresPrograms.User}", $"--regid={PostgresPrograms.User}", "--clear-groups"]
            : ["--inh-caps=-all", "--ambient-caps=-all"];
        string[] settings =
        [
            "-c", "listen_addresses=", "-c", "port=5432",
            "-c", "unix_socket_directories=" + folder.Sockets, "-c", "unix_socket_permissions=0700",
            "-c", "logging_collector=off", .. Tuning, .. await CompressionAsync(folder, binaries),
        ];
        string[] command = [Path.Combine(binaries, "postgres"), "-D", folder.Data, .. settings];
        var start = PostgresPrograms.Start("setsid", ["setpriv", .. drop, "--pdeathsig", "INT", "--", .. command]);

        var server = new PostgresServer(folder);
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() => server.Attend(start, started)) { IsBackground = true, Name = "PostgreSQL" }.Start();
        await started.Task;
        return server;
    }

    /// <summary>Not every PostgreSQL is built with lz4; one that is not refuses to start with it.</summary>
    private static async Task<string[]> CompressionAsync(ClusterFolder folder, string binaries)
    {
        try
        {
            string[] arguments = ["-D", folder.Data, "-C", "wal_compression", .. Lz4];
            var postgres = Path.Combine(binaries, "postgres");
            await PostgresPrograms.RunAsync(
                postgres, arguments, Environment.IsPrivilegedProcess, CancellationToken.None);
            return Lz4;
        }
        catch (StartupException e) when (e.Message.Contains("lz4", StringComparison.Ordinal))
        {
            return [];
        }
        catch (StartupException)
        {
            return Lz4; // something else is wrong, which the start itself tells
        }
    }

    public async Task ReadyAsync(CancellationToken stop)
    {
        await ClusterFolder.EventuallyAsync(
            () => Exited.IsCompleted || State is "ready",
            RecoveryTimeout,
            "PostgreSQL did not get ready; see " + _folder.Log,
            stop);
        var reason = _reason is { } why ? $" ({why})" : "";
        if (Exited.IsCompleted)
            throw new StartupException($"PostgreSQL ended while starting{reason}; see {_folder.Log}");
    }

    /// <summary>
    /// Fast shutdown; an immediate one (recovered from the log at the next start) if that takes over ten seconds.
    /// </summary>
    public async Task StopAsync()
    {
        if (Exited.IsCompleted) return;
        _ = Signal(_pid, Interrupt); // in vain if it ends just now
        if (await Task.WhenAny(Exited, Task.Delay(StopTimeout)) != Exited) _ = Signal(_pid, Quit);
        await Exited;
    }

    /// <summary>
    /// What <c>postmaster.pid</c> says on line 8, if line 1 shows that it is this server speaking, not a crashed one.
    /// </summary>
    private string? State
    {
        get
        {
            try
            {
                var lines = File.ReadAllLines(_folder.StateFile);
                return lines.Length >= 8 && lines[0].Trim() == $"{_pid}" ? lines[7].Trim() : null;
            }
            catch (IOException)
            {
                return null; // not written yet, or gone with the server
            }
        }
    }

    private void Attend(ProcessStartInfo start, TaskCompletionSource started)
    {
        try
        {
            using var log = new ServerLog(_folder.Log);
            using var server = new Process { StartInfo = start };
            using var open = new CountdownEvent(2);
            void Note(object _, DataReceivedEventArgs line)
            {
                if (line.Data is not null) log.Write(line.Data);
                else open.Signal();
            }
            server.ErrorDataReceived += Note;
            server.OutputDataReceived += Note;
            server.Start();
            _pid = server.Id;
            server.BeginErrorReadLine();
            server.BeginOutputReadLine();
            started.SetResult();
            while (!server.WaitForExit(int.MaxValue)) { } // without a limit it would wait for the output's end too
            open.Wait(LastWords);
            _reason = log.Reason;
            _exited.SetResult(server.ExitCode);
            server.WaitForExit(); // processes of it that do not notice its end may still write
        }
        catch (Exception e)
        {
            started.TrySetException(new StartupException("PostgreSQL could not be started: " + e.Message));
            _exited.TrySetResult(-1);
        }
    }

    [DllImport("libc", EntryPoint = "kill")]
    internal static extern int Signal(int pid, int signal);
}
