using System.Net;
using System.Net.Sockets;

namespace ErrorTracker.Configuration;

/// <summary>The proxies that are believed: addresses and CIDR networks, separated by commas.</summary>
internal static class ProxyNetworks
{
    private const StringSplitOptions Trimmed = StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries;

    private const string Key = Settings.Section + ":TrustedProxies";

    public static IReadOnlyList<IPNetwork> Read(SettingsReader settings)
    {
        var networks = new List<IPNetwork>();
        foreach (var entry in (settings.Text(Key) ?? "").Split([',', ' '], Trimmed))
            if (Find(entry) is { } network) networks.Add(network);
            else
            {
                settings.Refuse(
                    Key,
                    "must be IP addresses or networks such as 127.0.0.1, 10.0.0.0/8, fd00::/8, separated by commas");
                break;
            }
        return networks;
    }

    /// <summary>.NET also takes <c>10.1</c> for an address, which nobody means.</summary>
    private static IPNetwork? Find(string text)
    {
        if (!text.Contains(':') && text.Count(c => c == '.') != 3) return null;
        if (IPNetwork.TryParse(text, out var network)) return network;
        if (!IPAddress.TryParse(text, out var address)) return null;
        return new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128);
    }
}
