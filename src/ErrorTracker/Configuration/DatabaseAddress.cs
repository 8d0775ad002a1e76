using Npgsql;

namespace ErrorTracker.Configuration;

/// <summary>
/// Where PostgreSQL is: as a connection string of Npgsql, as a URL (<see cref="PostgresUrl"/>), or in parts, each of
/// which takes any text. No fault shows
/// any of it: a password that is not quoted ends where a keyword seems to begin.
/// </summary>
internal static class DatabaseAddress
{
    public const string Key = "ConnectionStrings:ErrorTracker";

    private const string Parts = Settings.Section + ":Database:", Host = Parts + "Host";

    private const string Advice =
        $"or set {Settings.Section}__Database__Host, __Username, __Password and __Name instead, which take any text";

    /// <summary>Null if none is configured. What cannot be used is among the reader's faults.</summary>
    public static string? Read(SettingsReader settings)
    {
        var whole = settings.Text(Key);
        var parts = ReadParts(settings);
        if (whole is not null && parts is not null)
            settings.Refuse(Key, $"is set beside {Settings.Section}__Database__Host: set one of both");
        if (whole is null) return parts?.ConnectionString;
        var read = new NpgsqlConnectionStringBuilder();
        if (FaultOf(whole, read) is { } fault) settings.Refuse(Key, fault);
        return read.ConnectionString;
    }

    private static string? FaultOf(string whole, NpgsqlConnectionStringBuilder read)
    {
        try
        {
            if (!PostgresUrl.Is(whole)) read.ConnectionString = whole;
            else if (PostgresUrl.Read(whole, read) is { } fault) return fault;
            if (string.IsNullOrWhiteSpace(read.Host)) return "names no host";
            NpgsqlDataSource.Create(read).Dispose(); // what contradicts itself is found here
            return null;
        }
        catch (Exception e)
            when (e is ArgumentException or FormatException or OverflowException or InvalidCastException
                or NotSupportedException)
        {
            return
                "is not a connection string that can be read. "
                + $"Put a value with ; or quotes in it into quotes, {Advice}";
        }
    }

    private static NpgsqlConnectionStringBuilder? ReadParts(SettingsReader settings)
    {
        var (host, name) = (settings.Text(Host), settings.Text(Parts + "Name"));
        var (username, password) = (settings.Text(Parts + "Username"), settings.Raw(Parts + "Password"));
        if (string.IsNullOrEmpty(password)) password = null;
        var port = settings.Whole(Parts + "Port", NpgsqlConnection.DefaultPort, 1, ushort.MaxValue);
        if (host is not null)
            return new()
            {
                Host = host, Port = (int)port, Database = name, Username = username, Password = password,
            };
        if (name is not null || username is not null || password is not null)
            settings.Refuse(Host, $"is missing, while other parts of {Settings.Section}__Database are set");
        return null;
    }
}
