using System.Collections;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ErrorTracker.Configuration;

namespace ErrorTracker.Postgres;

/// <summary>
/// A host that root starts with a private cluster goes on as the user that PostgreSQL runs as: it executes itself anew
/// as that user, under the same process id, before anything is done. It keeps the right to listen on ports below 1024
/// and no other.
/// </summary>
/// <remarks>
/// A process that changed its user while it runs might be unable to load a library later, and leave files behind that
/// it cannot delete.
/// </remarks>
[SupportedOSPlatform("linux")]
internal static class Privilege
{
    private static readonly string[] Drop =
    [
        $"--reuid={User}", $"--regid={User}", "--init-groups",
        "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service",
        "--pdeathsig=keep",
    ];

    private const string User = PostgresPrograms.User;

    private const int SetDumpable = 4;

    private const string DataFolder = "ErrorTracker__DataFolder";

    private static readonly HashSet<string> Replaced =
        new(StringComparer.OrdinalIgnoreCase) { DataFolder, "HOME", "USER", "LOGNAME" };

    /// <summary>
    /// What a data folder holds. One that holds other things is somebody else's, and does not change its owner.
    /// </summary>
    private static readonly string[] Entries =
        ["data", "socket", "owner.lock", "postgres.log", "postgres.log.1", "postgres.log.2"];

    /// <summary>
    /// Keeps other processes of the same user, such as those of its PostgreSQL, from reading this one's environment and
    /// memory, which hold secrets.
    /// </summary>
    public static void Hide()
    {
        if (SetProcess(SetDumpable, 0, 0, 0, 0) != 0)
            throw new StartupException($"prctl failed: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Does not return where it succeeds. Null if this process is not root's, else why it stays so.</summary>
    /// <param name="folder">The data folder, which becomes that user's.</param>
    public static async Task<string?> GiveUpAsync(string folder)
    {
        if (!Environment.IsPrivilegedProcess) return null;
        folder = Path.GetFullPath(folder);
        var program = Environment.ProcessPath!;
        try
        {
            string[] libraries = [typeof(Program).Assembly.Location, typeof(object).Assembly.Location];
            await RequireReadableAsync([program, .. libraries, Environment.CurrentDirectory]);
            await HandOverAsync(folder);
        }
        catch (Exception e) when (e is StartupException or IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
        var arguments = File.ReadAllText("/proc/self/cmdline").TrimEnd('\0').Split('\0')[1..];
        var sockets = Directory.GetFiles(Path.GetTempPath(), $"dotnet-diagnostic-{Environment.ProcessId}-*");
        foreach (var socket in sockets) File.Delete(socket); // it will have the same name, and could not be replaced
        string?[] command = ["setpriv", .. Drop, "--", program, .. arguments, null];
        _ = Execute("setpriv", command, [.. VariablesFor(folder), null]); // returns only if it fails
        return $"setpriv cannot be executed: {Marshal.GetLastPInvokeErrorMessage()}";
    }

    /// <summary>What is loaded later must be readable then too.</summary>
    private static async Task RequireReadableAsync(string[] paths)
    {
        foreach (var path in paths)
            if (await WhyNotAsync("-r", path) is { } reason)
                throw new StartupException($"the user {User} cannot read {path}{reason}");
    }

    /// <summary>
    /// Links are not followed: a folder that another user can write to could otherwise give away any file.
    /// </summary>
    private static async Task HandOverAsync(string folder)
    {
        Directory.CreateDirectory(folder);
        var entries = Directory.GetFileSystemEntries(folder);
        if (entries.FirstOrDefault(entry => !Entries.Contains(Path.GetFileName(entry))) is { } other)
            throw new StartupException($"the data folder holds {other}, and so is not given to the user {User}");
        string[] change = ["--no-dereference", "--from=root", $"{User}:{User}", "--", folder, .. entries];
        await PostgresPrograms.RunAsync("chown", change, asPostgres: false, CancellationToken.None);
        if (await WhyNotAsync("-w", folder) is { } reason)
            throw new StartupException($"the user {User} cannot write to {folder}{reason}");
    }

    /// <summary>Null if that user may.</summary>
    private static async Task<string?> WhyNotAsync(string access, string path)
    {
        try
        {
            string[] arguments = [.. Drop, "--", "test", access, path];
            await PostgresPrograms.RunAsync("setpriv", arguments, asPostgres: false, CancellationToken.None);
            return null;
        }
        catch (StartupException e)
        {
            return e.Message == "setpriv failed:" ? "" : $" ({e.Message})";
        }
    }

    private static IEnumerable<string> VariablesFor(string folder) =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>()
            .Where(variable => !Replaced.Contains((string)variable.Key))
            .Select(variable => $"{variable.Key}={variable.Value}")
            .Concat([$"{DataFolder}={folder}", $"HOME={folder}", $"USER={User}", $"LOGNAME={User}"]);

    [DllImport("libc", EntryPoint = "prctl", SetLastError = true)]
    private static extern int SetProcess(int option, nint argument, nint none, nint nothing, nint zero);

    /// <summary>On Linux strings are given as UTF-8.</summary>
    [DllImport("libc", EntryPoint = "execvpe", SetLastError = true, BestFitMapping = false)]
    private static extern int Execute(string program, string?[] arguments, string?[] environment);
}
