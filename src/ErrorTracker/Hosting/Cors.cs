using System.Text.RegularExpressions;
using ErrorTracker.Intake.Sentry;
using Microsoft.Net.Http.Headers;

namespace ErrorTracker.Hosting;

/// <summary>
/// Browsers may send errors from pages of any origin: what the SDKs' endpoints answer, refusals too, can be read there,
/// and a preflight is answered. A key that is in a page is no secret; it can write, not read. All other endpoints stay
/// closed to foreign pages.
/// </summary>
internal static partial class Cors
{
    private static readonly TimeSpan PreflightAge = TimeSpan.FromHours(1);

    public static void UseCorsForSdks(this WebApplication app) => app.UseWhen(
        http => OfSdks().IsMatch(http.Request.Path.Value ?? ""),
        sdks => sdks.UseCors(policy => policy
            .AllowAnyOrigin()
            .AllowAnyHeader()
            .WithMethods(HttpMethods.Post)
            .WithExposedHeaders(SentryRefusal.ErrorHeader, SentryRefusal.LimitsHeader, HeaderNames.RetryAfter)
            .SetPreflightMaxAge(PreflightAge)));

    [GeneratedRegex(
        "^/api/[^/]+/(?:envelope|store|security|csp-report|nel|minidump|unreal/[^/]+|cron/[^/]+(?:/[^/]+)?)/?$",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OfSdks();
}
