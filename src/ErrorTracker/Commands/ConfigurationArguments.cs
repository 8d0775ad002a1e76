using ErrorTracker.Configuration;

namespace ErrorTracker.Commands;

/// <summary>
/// The arguments that configure the process, as ASP.NET Core reads them: <c>--urls …</c>,
/// <c>--ErrorTracker:DataFolder=…</c>. Names that mean nothing are not among them, so that they are refused as any other
/// word.
/// </summary>
internal static class ConfigurationArguments
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName", "webroot",
        "AllowedHosts", "detailedErrors", "captureStartupErrors",
        "suppressStatusMessages", "preferHostingUrls", "hostingStartupAssemblies", "hostingStartupExcludeAssemblies",
        "preventHostingStartup", "shutdownTimeoutSeconds",
        Settings.ReadTokenName,
        Settings.Section, "ConnectionStrings", "Logging", "Kestrel", // test hosts pass on sections
    };

    private static readonly string[] Prefixes =
        [Settings.Section + ":", "ConnectionStrings:ErrorTracker", "Logging:", "Kestrel:", "OTEL_"];

    /// <summary>Those that configure, each as <c>--name=value</c>, and the words that are left.</summary>
    public static (string[] Configuration, string[] Words) Split(string[] args)
    {
        var configuration = new List<string>();
        var words = new List<string>();
        for (var rest = args.AsSpan(); rest.Length > 0; rest = rest[1..])
        {
            var argument = rest[0];
            if (!Configures(argument)) words.Add(argument);
            else if (argument.Contains('=')) configuration.Add(argument);
            else if (rest.Length > 1 && !IsOption(rest[1]))
            {
                configuration.Add($"{argument}={rest[1]}");
                rest = rest[1..];
            }
            else words.Add(argument);
        }
        return ([.. configuration], [.. words]);
    }

    private static bool Configures(string argument)
    {
        if (!IsOption(argument)) return false;
        var name = argument[2..].Split('=')[0];
        return Names.Contains(name)
            || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase));
    }

    private static bool IsOption(string argument) => argument.StartsWith("--", StringComparison.Ordinal);
}
