using System.Diagnostics;

namespace ErrorTracker.Tests;

/// <summary>
/// Packages from npm that tests use: a folder beside the tests with a package.json and a package-lock.json, where they
/// are installed at exactly the versions of the latter, once for each lock file.
/// </summary>
/// <param name="folder">Below the tests' output.</param>
public sealed class NodePackages(string folder)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);

    private readonly string _folder = Path.Combine(AppContext.BaseDirectory, folder);
    private readonly SemaphoreSlim _turn = new(1);
    private bool _areInstalled;

    /// <summary>The program that Node.js lacks here; null if it is all there.</summary>
    public static string? MissingProgram { get; } = new[] { "node", "npm" }.FirstOrDefault(name => !IsOnPath(name));

    public string PathOf(string file) => Path.Combine(_folder, file);

    /// <summary>Starts Node.js in the folder. Installs the packages before if they are not there yet.</summary>
    public async Task<Process> StartAsync(string[] arguments, params (string Key, string Value)[] environment)
    {
        await InstallAsync();
        return Start("node", arguments, environment);
    }

    /// <summary>Runs to the end and answers the exit code and what was written.</summary>
    public async Task<(int ExitCode, string Output)> RunAsync(
        string[] arguments, params (string Key, string Value)[] environment)
    {
        using var process = await StartAsync(arguments, environment);
        return await EndAsync(process);
    }

    private async Task InstallAsync()
    {
        await _turn.WaitAsync();
        try
        {
            if (!_areInstalled) await InstallOnceAsync();
            _areInstalled = true;
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task InstallOnceAsync()
    {
        if (MissingProgram is not null) Assert.Fail($"There is no {MissingProgram}.");
        var stamp = PathOf("node_modules/installed");
        var wanted = await File.ReadAllTextAsync(PathOf("package-lock.json"));
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp) == wanted) return;
        using var npm = Start("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
        var (exitCode, output) = await EndAsync(npm);
        Assert.True(exitCode == 0, $"The packages of {folder} could not be installed: {output.ReplaceLineEndings(" ")}");
        await File.WriteAllTextAsync(stamp, wanted);
    }

    private Process Start(string program, string[] arguments, params (string Key, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Process.Start(start)!;
    }

    private static async Task<(int ExitCode, string Output)> EndAsync(Process process)
    {
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        try
        {
            await process.WaitForExitAsync().WaitAsync(Patience);
        }
        finally
        {
            if (!process.HasExited) process.Kill();
        }
        return (process.ExitCode, await output + await errors);
    }

    private static bool IsOnPath(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Any(path => File.Exists(Path.Combine(path, program)));
}

/// <summary>A test that needs Node.js. Where it cannot be had the test is left out, and says so; in CI it fails.</summary>
public sealed class NodeFactAttribute : FactAttribute
{
    public NodeFactAttribute()
    {
        if (Missing is not null && Environment.GetEnvironmentVariable("CI") is null) Skip = Missing;
    }

    public static string? Missing { get; } =
        NodePackages.MissingProgram is { } program ? $"Not tested with Node.js: there is no {program}." : null;
}
