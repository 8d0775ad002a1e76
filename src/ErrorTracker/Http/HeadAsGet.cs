using Microsoft.AspNetCore.Http.Features;

namespace ErrorTracker.Http;

/// <summary>
/// Answers HEAD (RFC 9110) wherever GET is answered: the request is handled as a GET whose body goes nowhere, so that
/// status and headers are those of GET. It comes before all that looks at the method.
/// </summary>
internal sealed class HeadAsGet(RequestDelegate next)
{
    public Task InvokeAsync(HttpContext http)
    {
        http.Response.OnStarting(static state => Allow(((HttpContext)state).Response), http);
        return HttpMethods.IsHead(http.Request.Method) ? AnswerAsync(http) : next(http);
    }

    private async Task AnswerAsync(HttpContext http)
    {
        var (method, body) = (http.Request.Method, http.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        http.Request.Method = HttpMethods.Get;
        http.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null, body));
        try
        {
            await next(http);
        }
        finally
        {
            http.Request.Method = method;
            http.Features.Set(body);
        }
    }

    /// <summary>A 405 names the methods of the endpoints; HEAD comes with GET.</summary>
    private static Task Allow(HttpResponse response)
    {
        if (response.StatusCode != StatusCodes.Status405MethodNotAllowed) return Task.CompletedTask;
        var allowed = response.Headers.Allow.ToString().Split(", ");
        if (allowed.Contains(HttpMethods.Get) && !allowed.Contains(HttpMethods.Head))
            response.Headers.Allow = string.Join(", ", [.. allowed, HttpMethods.Head]);
        return Task.CompletedTask;
    }
}
