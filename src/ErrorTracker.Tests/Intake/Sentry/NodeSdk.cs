using System.Diagnostics;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>The packages @sentry/node and @sentry/browser.</summary>
public static class NodeSdk
{
    private static readonly NodePackages Packages = new("Intake/Sentry/node");

    /// <summary>Why it cannot be had; null if it can.</summary>
    public static string? Missing => NodeFactAttribute.Missing;

    public static string PathOf(string file) => Packages.PathOf(file);

    public static Task<Process> StartAsync(string[] arguments, params (string Key, string Value)[] environment) =>
        Packages.StartAsync(arguments, environment);

    /// <summary>Runs to the end and answers the exit code and what was written.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string[] arguments, params (string Key, string Value)[] environment) => Packages.RunAsync(arguments, environment);
}
