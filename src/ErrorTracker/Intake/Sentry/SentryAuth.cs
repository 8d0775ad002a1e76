using ErrorTracker.Applications;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The keys that an SDK's request shows: <c>X-Sentry-Auth: Sentry sentry_version=7, sentry_key=…</c>, the same as <c>Authorization</c>, <c>?sentry_key=…</c>, and the
/// <c>dsn</c> of an envelope's header. Pure. All that are there must agree; whether the key opens is the key ring's to say.
/// </summary>
internal static class SentryAuth
{
    public const string Header = "X-Sentry-Auth", Query = "sentry_key";

    private const string Scheme = "Sentry ";

    public static IEnumerable<string> KeysOf(HttpRequest request) =>
        request.Headers[Header].Concat(request.Headers.Authorization.Where(IsOurs)).Select(KeyOf).Concat(request.Query[Query]).OfType<string>().Where(key => key.Length > 0);

    /// <summary>The key, and the application as the DSN writes it; null if it is no DSN: <c>scheme://key[:secret]@host[/path]/application</c>.</summary>
    public static (string Key, int Application)? OfDsn(string dsn) =>
        Uri.TryCreate(dsn, UriKind.Absolute, out var uri) && uri.UserInfo.Split(':')[0] is { Length: > 0 } key && ApplicationDirectory.TryParseId(uri.AbsolutePath.TrimEnd('/').Split('/')[^1], out var application)
            ? (key, application) : null;

    /// <summary>Authorization may be for others.</summary>
    private static bool IsOurs(string? header) => header?.TrimStart().StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) == true;

    private static string? KeyOf(string? header)
    {
        if (IsOurs(header)) header = header!.TrimStart()[Scheme.Length..];
        foreach (var pair in header?.Split([',', ' ']) ?? [])
            if (pair.Split('=', 2) is [var name, var value] && name.Equals(Query, StringComparison.OrdinalIgnoreCase)) return value.Trim();
        return null;
    }
}
