using ErrorTracker.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace ErrorTracker.Events;

/// <summary>
/// Sends a page that has been read whole, so that no connection to the database waits for its reader, and gives its
/// memory back.
/// </summary>
internal sealed class PageAnswer : IResult
{
    /// <summary>
    /// Who reads slower than this on the whole is cut off, so 8 MiB are held for two minutes and a bit at most. Smaller
    /// pages lie in the socket's buffer by then.
    /// </summary>
    private static readonly MinDataRate SlowestReader = new(bytesPerSecond: 64 * 1024, gracePeriod: TimeSpan.FromSeconds(10));

    private readonly Page _page;

    private PageAnswer(Page page) => _page = page;

    /// <param name="page">Given back whatever happens.</param>
    /// <param name="fill">Writes the page and answers null, or the answer that refuses the request.</param>
    public static async Task<IResult> OfAsync(Page page, Func<Task<IResult?>> fill)
    {
        try
        {
            if (await fill() is not { } refusal) return new PageAnswer(page);
            page.Dispose();
            return refusal;
        }
        catch
        {
            page.Dispose();
            throw;
        }
    }

    public static IResult Busy(HttpContext http) => Refusal.TryLater("Too many pages of events wait for slow readers.", http.Response);

    public async Task ExecuteAsync(HttpContext http)
    {
        using var page = _page;
        if (http.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = SlowestReader;
        http.Response.ContentType = "application/json; charset=utf-8";
        http.Response.ContentLength = page.Length;
        await page.SendAsync(http.Response.Body, http.RequestAborted);
    }
}
