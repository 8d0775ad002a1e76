using ErrorTracker.Applications;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The keys that an SDK's request shows: in <c>X-Sentry-Auth: Sentry sentry_version=7, sentry_key=…</c>, in
/// <c>Authorization</c> with the same value, in <c>?sentry_key=…</c>, and in the <c>dsn</c> of an envelope's header.
/// Pure. All that are shown must agree; whether a key opens an application is the key ring's to say.
/// </summary>
internal static class SentryAuth
{
    public const string Header = "X-Sentry-Auth", Query = "sentry_key";

    private const string Scheme = "Sentry ";

    public static IEnumerable<string> KeysOf(HttpRequest request)
    {
        var headers = request.Headers[Header].Concat(request.Headers.Authorization.Where(IsOurs));
        var keys = headers.Select(KeyOf).Concat(request.Query[Query]);
        return keys.OfType<string>().Where(key => key.Length > 0);
    }

    /// <summary>
    /// The key and the application of a DSN, <c>scheme://key[:secret]@host[/path]/application</c>; null if the text is
    /// no DSN.
    /// </summary>
    public static (string Key, int Application)? OfDsn(string dsn)
    {
        if (!Uri.TryCreate(dsn, UriKind.Absolute, out var uri)) return null;
        var key = uri.UserInfo.Split(':')[0];
        var last = uri.AbsolutePath.TrimEnd('/').Split('/')[^1];
        return key.Length > 0 && ApplicationDirectory.TryParseId(last, out var application) ? (key, application) : null;
    }

    /// <summary>Authorization may be for a proxy, in another scheme.</summary>
    private static bool IsOurs(string? header) =>
        header?.TrimStart().StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true;

    private static string? KeyOf(string? header)
    {
        if (IsOurs(header)) header = header!.TrimStart()[Scheme.Length..];
        foreach (var pair in header?.Split([',', ' ']) ?? [])
            if (pair.Split('=', 2) is [var name, var value] && name.Equals(Query, StringComparison.OrdinalIgnoreCase))
                return value.Trim();
        return null;
    }
}
