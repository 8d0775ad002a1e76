namespace ErrorTracker.Commands;

/// <summary>
/// The arguments that configure the process, as ASP.NET Core reads them: <c>--urls …</c>,
/// <c>--ErrorTracker:DataFolder=…</c>. Names that mean nothing are not
/// among them, so that they are refused as any other word.
/// </summary>
internal static class ConfigurationArguments
{
    private static readonly HashSet<string> Names = new(StringComparer.OrdinalIgnoreCase)
    {
        "urls", "http_ports", "https_ports", "environment", "contentRoot", "applicationName", "webroot",
        "AllowedHosts", "detailedErrors", "captureStartupErrors",
        "suppressStatusMessages", "preferHostingUrls", "hostingStartupAssemblies", "hostingStartupExcludeAssemblies",
        "preventHostingStartup", "shutdownTimeoutSeconds",
        Configuration.Settings.ReadTokenName,
        Configuration.Settings.Section, "ConnectionStrings", "Logging", "Kestrel", // test hosts pass on sections
    };

    private static readonly string[] Prefixes = [Configuration.Settings.Section + ":", "ConnectionStrings:ErrorTracker", "Logging:", "Kestrel:", "OTEL_"];

    /// <summary>Those that configure, each as <c>--name=value</c>, and the words that are left.</summary>
    public static (string[] Configuration, string[] Words) Split(string[] args)
    {
        var (configuration, words) = (new List<string>(), new List<string>());
        for (var i = 0; i < args.Length; i++)
        {
            var name = NameOf(args[i]);
            if (name is null) words.Add(args[i]);
            else if (args[i].Contains('=')) configuration.Add(args[i]);
            else if (i + 1 < args.Length && !args[i + 1].StartsWith("--", StringComparison.Ordinal)) configuration.Add($"{args[i]}={args[++i]}");
            else words.Add(args[i]);
        }
        return ([.. configuration], [.. words]);
    }

    /// <summary>Null if it does not configure.</summary>
    private static string? NameOf(string argument)
    {
        if (!argument.StartsWith("--", StringComparison.Ordinal)) return null;
        var name = argument[2..].Split('=')[0];
        return Names.Contains(name) || Prefixes.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) ? name : null;
    }
}
