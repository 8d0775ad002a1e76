using System.Text.RegularExpressions;
using ErrorTracker.Sentry;

namespace ErrorTracker.Hosting;

/// <summary>
/// Browsers may send errors from pages of any origin: what the SDKs' endpoints answer, refusals too, can be read there, and a preflight is answered. A key that is in
/// a page is no secret; it can write, not read. All other endpoints stay closed to foreign pages.
/// </summary>
internal sealed partial class Cors(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        if (!OfSdks().IsMatch(http.Request.Path.Value ?? "")) return next(http);
        http.Response.OnStarting(static state => Set((HttpContext)state), http);
        if (!HttpMethods.IsOptions(http.Request.Method)) return next(http);
        http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    private static Task Set(HttpContext http)
    {
        var headers = http.Response.Headers;
        headers.AccessControlAllowOrigin = "*";
        headers.AccessControlExposeHeaders = $"{SentryRefusal.ErrorHeader}, {SentryRefusal.LimitsHeader}, Retry-After";
        if (!HttpMethods.IsOptions(http.Request.Method)) return Task.CompletedTask;
        headers.AccessControlAllowMethods = "POST";
        headers.AccessControlAllowHeaders = $"{SentryAuth.Header}, X-Requested-With, X-Forwarded-For, Origin, Referer, Accept, Content-Type, Content-Encoding, Transfer-Encoding, Authentication, Authorization, sentry-trace, baggage, traceparent";
        headers.AccessControlMaxAge = "3600";
        return Task.CompletedTask;
    }

    [GeneratedRegex("^/api/[^/]+/(?:envelope|store)/?$", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OfSdks();
}
