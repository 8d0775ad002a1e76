using System.Collections.Concurrent;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Intake;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Hosting;

/// <summary>
/// Writes one line for each class of refused requests (method, route, status): at once for the first, then at most every ten
/// seconds with how many there were. Never a key, a payload or a path as sent: nothing a client writes gets into the log.
/// </summary>
internal sealed class RefusalLog(RequestDelegate next, IngestMetrics metrics, OutcomeTally outcomes, TimeProvider clock, ILogger<RefusalLog> log)
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<(string Method, string Route, int Status), Tally> _classes = new();

    public async Task InvokeAsync(HttpContext http)
    {
        await next(http);
        if (http.Response.StatusCode < 400) return;

        var isIngest = http.GetEndpoint()?.Metadata.GetMetadata<IngestsAttribute>() is not null;
        if (isIngest && !Door.IsClosed(http)) metrics.Refused(Door.ReasonOf(http));
        if (Door.ApplicationOf(http) is { } application) outcomes.Add(new(application, Instant.Now(clock)), Door.ReasonOf(http));
        var route = (http.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "(no route)";
        var method = HttpMethods.GetCanonicalizedValue(http.Request.Method) is var name && Known.Contains(name) ? name : "(other)";
        var tally = _classes.GetOrAdd((method, route, http.Response.StatusCode), _ => new Tally());
        if (tally.Add(clock.GetTimestamp(), clock) is { } count)
            log.LogInformation("Refused {Count} × {Status} {Method} {Route}", count, http.Response.StatusCode, method, route);
    }

    private static readonly HashSet<string> Known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

    private sealed class Tally
    {
        private long? _written;
        private int _count;

        /// <summary>How many to write about now; null if it is too early.</summary>
        public int? Add(long now, TimeProvider clock)
        {
            lock (this)
            {
                _count++;
                if (_written is { } last && clock.GetElapsedTime(last, now) < Pause) return null;
                _written = now;
                return Interlocked.Exchange(ref _count, 0);
            }
        }
    }
}
