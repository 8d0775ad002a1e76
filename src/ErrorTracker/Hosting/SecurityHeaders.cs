namespace ErrorTracker.Hosting;

/// <summary>
/// What browsers are told of each answer: it is nothing to run, to frame, to guess the type of or to keep. The
/// documentation runs scripts of its own.
/// </summary>
/// <remarks>
/// What is answered to SDKs has no <c>no-store</c>. They send with <c>keepalive</c> and never read the answer. Where an
/// answer may not be stored, Chromium then keeps its request among the 64 KiB that may be under way, and fails all that
/// is sent after. The answers to POST are not stored anyway.
/// </remarks>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    private const string OfAnswers = "default-src 'none'; frame-ancestors 'none'";

    private const string OfDocumentation =
        "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; "
        + "script-src 'self' 'unsafe-inline'; frame-ancestors 'none'";

    /// <summary>Set when the answer starts: whoever answers a fault clears what was set before.</summary>
    public Task InvokeAsync(HttpContext http)
    {
        http.Response.OnStarting(static state => Set((HttpContext)state), http);
        return next(http);
    }

    private static Task Set(HttpContext http)
    {
        var (headers, isDocumentation) = (http.Response.Headers, http.Request.Path.StartsWithSegments("/docs"));
        headers.XContentTypeOptions = "nosniff";
        headers.XFrameOptions = "DENY";
        headers["Referrer-Policy"] = "no-referrer";
        headers.ContentSecurityPolicy = isDocumentation ? OfDocumentation : OfAnswers;

        // The exception handler has set it.
        if (http.Request.Path.StartsWithSegments("/api")) headers.CacheControl = default;
        else if (!isDocumentation) headers.CacheControl = "no-store";
        return Task.CompletedTask;
    }
}
