using System.Collections.Concurrent;

namespace ErrorTracker.Hosting;

/// <summary>
/// Writes one line for each class of refused requests (method, route, status): at once for the first, then at most
/// every ten seconds, with how many there were. Nothing that a client writes gets into the log: no key, no payload, no
/// path as sent.
/// </summary>
internal sealed class RefusalLog(RequestDelegate next, TimeProvider clock, ILogger<RefusalLog> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private static readonly HashSet<string> Methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    private readonly ConcurrentDictionary<(string Method, string Route, int Status), Class> _classes = new();

    public async Task InvokeAsync(HttpContext http)
    {
        await next(http);
        var status = http.Response.StatusCode;
        if (status < 400) return;

        var method = HttpMethods.GetCanonicalizedValue(http.Request.Method);
        if (!Methods.Contains(method)) method = "(other)";
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";
        var refused = _classes.GetOrAdd((method, route, status), _ => new Class(clock));
        if (refused.Add() is { } count)
            log.LogInformation("Refused {Count} × {Status} {Method} {Route}", count, status, method, route);
    }

    private sealed class Class(TimeProvider clock)
    {
        private readonly Lock _turn = new();
        private long? _writtenAt;
        private int _unwritten;

        /// <summary>How many to write about now; null if the last line is too recent.</summary>
        public int? Add()
        {
            lock (_turn)
            {
                _unwritten++;
                var now = clock.GetTimestamp();
                if (_writtenAt is { } last && clock.GetElapsedTime(last, now) < Pause) return null;
                var count = _unwritten;
                _unwritten = 0;
                _writtenAt = now;
                return count;
            }
        }
    }
}
