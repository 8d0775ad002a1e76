using System.Text.RegularExpressions;
using Npgsql;

namespace ErrorTracker.Configuration;

/// <summary>
/// <c>postgresql://user:password@host:port/database?parameter=value</c>, as libpq defines it: several hosts, sockets
/// and IPv6 included. Parameters are those of libpq
/// that Npgsql has, and Npgsql's own.
/// </summary>
internal static partial class PostgresUrl
{
    private const string Unescaped =
        "is a URL with a character that must be percent-encoded: "
        + "in a password @ is %40, / is %2F, ? is %3F, # is %23 and % is %25";

    private const string Unusable = "is a URL with a parameter that is not known, or has a value that it cannot take";

    private static readonly Dictionary<string, string> Keywords = new(StringComparer.OrdinalIgnoreCase)
    {
        ["user"] = "Username", ["dbname"] = "Database", ["sslmode"] = "SSL Mode",
        ["sslrootcert"] = "Root Certificate", ["sslcert"] = "SSL Certificate",
        ["sslkey"] = "SSL Key", ["sslpassword"] = "SSL Password",
        ["sslnegotiation"] = "SSL Negotiation", ["channel_binding"] = "Channel Binding",
        ["application_name"] = "Application Name", ["fallback_application_name"] = "Application Name",
        ["connect_timeout"] = "Timeout", ["client_encoding"] = "Client Encoding",
        ["krbsrvname"] = "Kerberos Service Name", ["require_auth"] = "Require Auth",
    };

    public static bool Is(string text) =>
        text.StartsWith("postgresql://", StringComparison.OrdinalIgnoreCase)
        || text.StartsWith("postgres://", StringComparison.OrdinalIgnoreCase);

    /// <summary>Fills in what the URL says; answers the fault, if it has one, which shows nothing of it.</summary>
    public static string? Read(string text, NpgsqlConnectionStringBuilder to)
    {
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + 3)..];
        var (address, query) = Cut(rest, rest.IndexOf('?'));
        var (authority, path) = Cut(address, address.IndexOf('/'));
        if (rest.Contains('#') || path.Contains('@') || path.Contains('/') || query.Contains('@')
            || BadEscape().IsMatch(rest))
            return Unescaped;

        var at = authority.LastIndexOf('@');
        if (at >= 0)
        {
            var credentials = authority[..at];
            var (user, password) = Cut(credentials, credentials.IndexOf(':'));
            if (user.Length > 0) to.Username = Decode(user);
            if (password.Length > 0) to.Password = Decode(password);
        }
        if (!ReadHosts(authority[(at + 1)..], to)) return "is a URL whose host or port cannot be read";
        if (path.Length > 0) to.Database = Decode(path);
        foreach (var parameter in query.Split('&', StringSplitOptions.RemoveEmptyEntries))
            if (!TrySet(parameter, to)) return Unusable;
        return null;
    }

    private static bool ReadHosts(string list, NpgsqlConnectionStringBuilder to)
    {
        var hosts = new List<string>();
        foreach (var entry in list.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (HostAndPort().Match(entry) is not { Success: true } match) return false;
            var host = Decode(match.Groups["host"].Value);
            var digits = match.Groups["port"].Value;
            var port = 0;
            if (digits.Length > 0 && (!int.TryParse(digits, out port) || port is 0 or > ushort.MaxValue)) return false;
            if (port > 0) to.Port = port;
            var bracketed = host.Contains(':') ? $"[{host}]" : host;
            hosts.Add(list.Contains(',') && port > 0 ? $"{bracketed}:{port}" : host);
        }
        if (hosts.Count > 0) to.Host = string.Join(',', hosts);
        return true;
    }

    private static bool TrySet(string parameter, NpgsqlConnectionStringBuilder to)
    {
        var (name, value) = Cut(parameter, parameter.IndexOf('='));
        name = Decode(name);
        value = Decode(value);
        if (name.Equals("sslmode", StringComparison.OrdinalIgnoreCase)) value = value.Replace("-", "");
        try
        {
            to[Keywords.GetValueOrDefault(name, name)] = value;
            return true;
        }
        catch (Exception e)
            when (e is ArgumentException or FormatException or OverflowException or InvalidCastException
                or KeyNotFoundException)
        {
            return false;
        }
    }

    /// <summary>What stands before the character and what after it.</summary>
    private static (string Before, string After) Cut(string text, int at) =>
        at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);

    private static string Decode(string text) => Uri.UnescapeDataString(text);

    [GeneratedRegex("%(?![0-9A-Fa-f]{2})")]
    private static partial Regex BadEscape();

    [GeneratedRegex(@"^(?:\[(?<host>[^\[\]]+)\]|(?<host>[^:\[\]]+))(?::(?<port>[0-9]*))?$")]
    private static partial Regex HostAndPort();
}
