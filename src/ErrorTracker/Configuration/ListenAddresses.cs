using System.Net;

namespace ErrorTracker.Configuration;

/// <summary>
/// Where the host listens, by ASP.NET Core's own settings: checked here, as the server would answer a wrong one with a
/// stack trace.
/// </summary>
internal static class ListenAddresses
{
    private const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;

    private const string Urls = "urls";

    public static void Check(SettingsReader settings)
    {
        foreach (var url in (settings.Text(Urls) ?? "").Split(';', Trimmed))
            if (!IsAddress(url))
                settings.Refuse(
                    Urls, "must be addresses such as http://localhost:8000, without a path, separated by semicolons");
        foreach (var key in new[] { "http_ports", "https_ports" })
            foreach (var port in (settings.Text(key) ?? "").Split(';', Trimmed))
                if (!ushort.TryParse(port, out _)) settings.Refuse(key, "must be ports, separated by semicolons");
    }

    /// <summary>
    /// True if other machines can reach it. The server takes a name other than localhost for all of the machine's
    /// addresses.
    /// </summary>
    public static bool IsOpen(string url)
    {
        var address = BindingAddress.Parse(url);
        if (address.IsUnixPipe || address.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return false;
        return !IPAddress.TryParse(address.Host, out var ip) || !IPAddress.IsLoopback(ip);
    }

    private static bool IsAddress(string url)
    {
        try
        {
            var address = BindingAddress.Parse(url);
            return address.Scheme.ToLowerInvariant() is "http" or "https"
                && address.Port <= ushort.MaxValue && address.PathBase.Length == 0
                && (address.IsUnixPipe || address.Host.Length > 0);
        }
        catch (FormatException)
        {
            return false;
        }
    }
}
