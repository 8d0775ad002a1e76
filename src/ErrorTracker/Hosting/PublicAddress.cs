using ErrorTracker.Configuration;
using Microsoft.AspNetCore.HttpOverrides;

namespace ErrorTracker.Hosting;

/// <summary>
/// Which address a request came to, as its client sees it: the one that is configured, else what a trusted proxy says,
/// else that of the connection. All that answers
/// an address (<c>dsn</c>, <c>Location</c>, the documentation) takes it from the request. A proxy may strip its path
/// prefix or leave it: both work.
/// </summary>
internal static class PublicAddress
{
    public static void UsePublicAddress(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        if (settings.TrustedProxies.Count > 0)
        {
            app.UseForwardedHeaders(Trusting(settings.TrustedProxies));
            app.Use((http, next) =>
            {
                http.Request.PathBase = Prefix(http.Request.PathBase);
                return next(http);
            });
        }
        if (settings.PublicUrl is { } url)
        {
            var (scheme, host) = (url.Scheme, HostString.FromUriComponent(url.Authority)); // without the default port
            var prefix = PathString.FromUriComponent(url.AbsolutePath.TrimEnd('/'));
            app.Use((http, next) =>
            {
                (http.Request.Scheme, http.Request.Host, http.Request.PathBase) = (scheme, host, prefix);
                return next(http);
            });
        }
        app.Use((http, next) =>
        {
            http.Request.Path = Within(http.Request.PathBase, http.Request.Path);
            return next(http);
        });
    }

    /// <summary>
    /// All proxies that are trusted, one behind another. Without any the middleware would believe everybody.
    /// </summary>
    private static ForwardedHeadersOptions Trusting(IReadOnlyList<System.Net.IPNetwork> proxies)
    {
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.All, ForwardLimit = null };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in proxies) options.KnownIPNetworks.Add(network);
        return options;
    }

    /// <summary>As some proxies tell it with a slash at its end; one slash alone is none.</summary>
    private static PathString Prefix(PathString told) =>
        told.Value?.Trim('/') is { Length: > 0 } prefix ? new PathString("/" + prefix) : PathString.Empty;

    /// <summary>
    /// The path without the prefix, and without a second slash before it, to which a DSN with a slash too many leads.
    /// </summary>
    private static PathString Within(PathString prefix, PathString path)
    {
        path = WithoutSecondSlash(path);
        if (!prefix.HasValue || !path.StartsWithSegments(prefix, out var rest)) return path;
        return rest.HasValue ? WithoutSecondSlash(rest) : new PathString("/");
    }

    private static PathString WithoutSecondSlash(PathString path) =>
        path.Value is ['/', '/', ..] doubled ? new PathString("/" + doubled.TrimStart('/')) : path;
}
