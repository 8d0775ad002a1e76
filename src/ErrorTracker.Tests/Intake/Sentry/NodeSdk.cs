using System.Diagnostics;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>
/// The packages @sentry/node and @sentry/browser from npm, installed beside the tests at exactly the versions of
/// package-lock.json.
/// </summary>
public static class NodeSdk
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Intake", "Sentry", "node");

    private static readonly Lazy<Task> Installed = new(InstallAsync);

    /// <summary>Why it cannot be had; null if it can.</summary>
    public static string? Missing { get; } =
        new[] { "node", "npm" }.FirstOrDefault(
            name => !(Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(
                folder => File.Exists(Path.Combine(folder, name)))) is { } missing
            ? $"Not tested with @sentry/node: there is no {missing}."
            : null;

    public static string PathOf(string file) => Path.Combine(Folder, file);

    public static async Task<Process> StartAsync(string[] arguments, params (string Key, string Value)[] environment)
    {
        await Installed.Value;
        return Start("node", arguments, environment);
    }

    /// <summary>Runs to the end and answers the exit code and what was written.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string[] arguments, params (string Key, string Value)[] environment)
    {
        using var process = await StartAsync(arguments, environment);
        return await EndAsync(process);
    }

    private static async Task InstallAsync()
    {
        if (Missing is not null) Assert.Fail(Missing);
        var (stamp, wanted) = (PathOf("node_modules/installed"), await File.ReadAllTextAsync(PathOf("package-lock.json")));
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp) == wanted) return;
        using var npm = Start("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        var (exitCode, output) = await EndAsync(npm);
        Assert.True(exitCode == 0, $"@sentry/node could not be installed: npm said: {output.ReplaceLineEndings(" ")}");
        await File.WriteAllTextAsync(stamp, wanted);
    }

    private static Process Start(string program, string[] arguments, params (string Key, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = Folder, RedirectStandardInput = true, RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output)> EndAsync(Process process)
    {
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        try
        {
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(120));
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        return (process.ExitCode, await output + await errors);
    }
}

/// <summary>
/// A test that needs Node.js. Where it cannot be had the test is left out, and says so; in CI it fails.
/// </summary>
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute()
    {
        if (NodeSdk.Missing is not null && Environment.GetEnvironmentVariable("CI") is null) Skip = NodeSdk.Missing;
    }
}
