using System.Globalization;

namespace ErrorTracker.Configuration;

/// <summary>
/// Reads settings one by one and collects what is wrong with them. An empty value is one that is not set, as in shells
/// and compose files.
/// </summary>
internal sealed class SettingsReader(IConfiguration configuration)
{
    private readonly HashSet<string> _known = new(StringComparer.OrdinalIgnoreCase);

    private readonly List<string> _faults = [];

    public IReadOnlyList<string> Faults => _faults;

    /// <summary>As it is set, whatever is in it.</summary>
    public string? Raw(string key)
    {
        _known.Add(key);
        if (configuration[key] is not { } value || !value.Contains('\0')) return configuration[key];
        Refuse(key, "has a null character in it");
        return null;
    }

    public string? Text(string key) => Raw(key) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public bool Flag(string key, bool otherwise)
    {
        if (Text(key) is not { } text) return otherwise;
        if (bool.TryParse(text, out var value)) return value;
        Refuse(key, "must be true or false");
        return otherwise;
    }

    public long Whole(string key, long otherwise, long least, long most)
    {
        if (Text(key) is not { } text) return otherwise;
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && value >= least && value <= most)
            return value;
        Refuse(key, $"must be a whole number from {least} to {most}");
        return otherwise;
    }

    public T OneOf<T>(string key, T otherwise, IReadOnlyList<T> choices) where T : struct, Enum
    {
        if (Text(key) is not { } text) return otherwise;
        foreach (var choice in choices)
            if (choice.ToString().Equals(text, StringComparison.OrdinalIgnoreCase)) return choice;
        Refuse(key, $"must be one of {string.Join(", ", choices)}");
        return otherwise;
    }

    /// <summary>An absolute URL of HTTP.</summary>
    public Uri? Url(string key)
    {
        if (Text(key) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url.Scheme is "http" or "https" && url.Host.Length > 0)
            return url;
        Refuse(key, "must be a URL that starts with http:// or https://");
        return null;
    }

    /// <param name="key">As configuration knows it.</param>
    /// <param name="fault">The rest of a sentence that begins with the setting's name. Never with a value in it, which
    /// may be a secret.</param>
    public void Refuse(string key, string fault) => _faults.Add($"{NameOf(key)} {fault}.");

    /// <summary>
    /// What has been read so far is all there is: other names of the section, and those that look like them, are
    /// mistyped.
    /// </summary>
    public void RefuseUnknownNames(string section)
    {
        var names = _known.Where(key => IsIn(section, key)).ToList();
        var list = string.Join(", ", names.Select(NameOf).Order(StringComparer.Ordinal));
        foreach (var (key, value) in configuration.GetSection(section).AsEnumerable())
            if (!string.IsNullOrEmpty(value) && !_known.Contains(key))
                Refuse(key, $"is not a setting. These are: {list}");

        string[] all = [.. names, Settings.ReadTokenName, DatabaseAddress.Key];
        foreach (var (key, value) in configuration.AsEnumerable())
        {
            if (string.IsNullOrEmpty(value) || IsIn(section, key) || _known.Contains(key)) continue;
            if (MeantBy(key, section, all) is { } meant) Refuse(key, $"is not a setting; {NameOf(meant)} is");
        }
    }

    /// <summary>
    /// The setting that a name stands for which is almost its name: <c>ERROR_TRACKER_READ_TOKEN</c>,
    /// <c>ConnectionString__ErrorTracker</c>. Not every name that begins like ours is mistyped: Kubernetes gives
    /// containers variables such as <c>ERRORTRACKER_SERVICE_HOST</c>.
    /// </summary>
    private static string? MeantBy(string key, string section, IEnumerable<string> names)
    {
        if (key.StartsWith(section + "_", StringComparison.OrdinalIgnoreCase)
            && (key.StartsWith(Settings.ReadTokenName[..^"_TOKEN".Length], StringComparison.OrdinalIgnoreCase)
                || key.Contains("TOKEN", StringComparison.OrdinalIgnoreCase)))
            return Settings.ReadTokenName;
        return names.FirstOrDefault(name => Misspelling.Is(key, name));
    }

    private static bool IsIn(string section, string key) =>
        key.StartsWith(section + ":", StringComparison.OrdinalIgnoreCase);

    /// <summary>As environment variables are called.</summary>
    private static string NameOf(string key) => key.Replace(":", "__");
}
