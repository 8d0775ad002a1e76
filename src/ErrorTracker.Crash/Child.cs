using System.Diagnostics;
using ErrorTracker.Postgres;

namespace ErrorTracker.Crash;

/// <summary>
/// A process that this one starts and signals. It never outlives this one, however this one ends: the kernel kills it
/// at the end of the thread that forked it, so that thread waits for it.
/// </summary>
internal sealed class Child
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    private readonly TaskCompletionSource<int> _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int _pid;

    /// <summary>With its exit code.</summary>
    public Task<int> Exited => _exited.Task;

    /// <param name="log">The file to which it writes what it has to say.</param>
    /// <param name="user">Whom it runs as; null: as this one does.</param>
    public static async Task<Child> StartAsync(
        string log, string[] command, string? user = null, params (string Key, string Value)[] environment)
    {
        string[] drop = user is null ? [] : [$"--reuid={user}", $"--regid={user}", "--clear-groups"];
        string[] arguments =
        [
            "-c", "exec \"$@\" >> \"$CRASH_LOG\" 2>&1", "sh",
            "setsid", "setpriv", .. drop, "--pdeathsig", "KILL", "--", .. command,
        ];
        var start = new ProcessStartInfo("sh", arguments) { WorkingDirectory = "/" };
        start.Environment["CRASH_LOG"] = log;
        foreach (var (key, value) in environment) start.Environment[key] = value;
        var child = new Child();
        new Thread(() => child.Attend(start)) { IsBackground = true, Name = command[0] }.Start();
        child._pid = await child._started.Task;
        return child;
    }

    /// <summary>False if there is no such process (any more).</summary>
    public static bool Signal(int pid, int signal) => PostgresServer.Signal(pid, signal) == 0;

    public void Send(int signal)
    {
        if (!Exited.IsCompleted) Signal(_pid, signal);
    }

    /// <summary>Signals it and waits for its end; kills it if that takes longer than the limit.</summary>
    public async Task<int> EndAsync(int signal, TimeSpan limit)
    {
        Send(signal);
        if (await Task.WhenAny(Exited, Task.Delay(limit)) != Exited) Send(Kill);
        return await Exited;
    }

    private void Attend(ProcessStartInfo start)
    {
        try
        {
            using var process = Process.Start(start)!;
            _started.SetResult(process.Id);
            process.WaitForExit();
            _exited.SetResult(process.ExitCode);
        }
        catch (Exception e)
        {
            _started.TrySetException(e);
            _exited.TrySetException(e);
        }
    }
}
