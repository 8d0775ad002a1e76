using System.Diagnostics;
using ErrorTracker.Configuration;

namespace ErrorTracker.Postgres;

/// <summary>
/// Where PostgreSQL's programs are, and how they are run: with an environment that holds no secret of this process.
/// </summary>
internal static class PostgresPrograms
{
    /// <summary>Whom PostgreSQL runs as where this process is root, which it refuses to run as.</summary>
    public const string User = "postgres";

    /// <summary>The only variables that a child inherits, besides those of the locale (<c>LC_…</c>).</summary>
    private static readonly string[] Inherited = ["PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR"];

    /// <summary>The highest installed Debian-style version, else what PATH offers.</summary>
    public static string FindBinaries()
    {
        const string versions = "/usr/lib/postgresql";
        var installed = Directory.Exists(versions)
            ? Directory.GetDirectories(versions)
                .OrderByDescending(folder => int.TryParse(Path.GetFileName(folder), out var version) ? version : 0)
                .Select(folder => Path.Combine(folder, "bin"))
            : [];
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries);
        return installed.Concat(path)
                   .FirstOrDefault(folder => Has(folder, "postgres") && Has(folder, "initdb"))
               ?? throw new StartupException(
                   "PostgreSQL is not installed. Start with ./run, which installs it, "
                   + "or set ConnectionStrings__ErrorTracker to a server of yours.");
    }

    /// <summary>
    /// How a program is to be started. Its output is redirected, and it works in no folder that could go away.
    /// </summary>
    public static ProcessStartInfo Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
        foreach (var name in start.Environment.Keys.ToList())
            if (!IsInherited(name)) start.Environment.Remove(name);
        start.Environment["HOME"] = "/";
        return start;
    }

    /// <summary>
    /// Runs a program to its end; a <see cref="StartupException"/> says what it wrote if that is not 0.
    /// </summary>
    public static async Task RunAsync(string program, string[] arguments, bool asPostgres, CancellationToken stop)
    {
        var start = Start(program, arguments);
        if (asPostgres) start.UserName = User;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(stop);
        var errors = process.StandardError.ReadToEndAsync(stop);
        await process.WaitForExitAsync(stop);
        if (process.ExitCode == 0) return;
        var said = $"{(await errors).Trim()} {(await output).Trim()}".Trim();
        throw new StartupException($"{Path.GetFileName(program)} failed: {said}".TrimEnd());
    }

    private static bool Has(string folder, string program) => File.Exists(Path.Combine(folder, program));

    private static bool IsInherited(string name) =>
        Inherited.Contains(name) || name.StartsWith("LC_", StringComparison.Ordinal);
}
