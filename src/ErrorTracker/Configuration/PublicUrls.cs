namespace ErrorTracker.Configuration;

/// <summary>The address that clients use, <c>https://errors.example.org/errors</c>.</summary>
internal static class PublicUrls
{
    private const string Key = Settings.Section + ":PublicUrl";

    /// <summary>A prefix that is a path of ours could not be told from it.</summary>
    private static readonly string[] Own = ["/api", "/apps", "/docs", "/health", "/projections"];

    /// <summary>Without a slash at its end; null if it is not set or cannot be used.</summary>
    public static Uri? Read(SettingsReader settings)
    {
        if (settings.Url(Key) is not { } url) return null;
        if (url.UserInfo.Length + url.Query.Length + url.Fragment.Length > 0)
            settings.Refuse(Key, "must have no user, query or fragment");
        var path = url.AbsolutePath.TrimEnd('/');
        if (path.Contains("//")) settings.Refuse(Key, "must have no two slashes in a row in its path");
        if (Own.Contains(path, StringComparer.OrdinalIgnoreCase))
            settings.Refuse(Key, $"must have another path: {path} is one of this API");
        return new UriBuilder(url.Scheme, url.IdnHost, url.Port) { Path = path }.Uri;
    }
}
