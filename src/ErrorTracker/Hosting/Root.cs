using ErrorTracker.Configuration;

namespace ErrorTracker.Hosting;

/// <summary>
/// <c>GET /</c> leads on: a browser to the documentation, all others by a JSON object that says where all else is. It
/// is open to all, as load balancers ask for it.
/// </summary>
internal static class Root
{
    private const string Html = "text/html";

    public static void MapRoot(this WebApplication app)
    {
        var settings = app.Services.GetRequiredService<Settings>();
        app.MapGet("/", http => AnswerAsync(http, settings)).AllowAnonymous();
    }

    private static Task AnswerAsync(HttpContext http, Settings settings)
    {
        var docs = $"{http.Request.PathBase}/docs/";
        http.Response.Headers.Vary = "Accept";

        // Where a read token is set the documentation asks for it, and a browser has no place to put it.
        if (settings.ReadToken is null && Accepts(http.Request, Html))
        {
            http.Response.Redirect(docs);
            return Task.CompletedTask;
        }
        return http.Response.WriteAsJsonAsync(new Places("ErrorTracker", docs, $"{http.Request.PathBase}/health"));
    }

    /// <summary>By name: programs that take anything are no browsers.</summary>
    private static bool Accepts(HttpRequest request, string mediaType) =>
        request.GetTypedHeaders().Accept.Any(range => range.MediaType == mediaType && range.Quality is not 0);

    private sealed record Places(string Name, string Docs, string Health);
}
