using ErrorTracker.Http;
using ErrorTracker.Intake;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>
/// What endpoints leave unanswered. While PostgreSQL is away, restarts or has no room, what needs it is answered 503
/// with Retry-After: nobody's mistake, and soon over. A request that is no HTTP is a 4xx. All else is a fault of ours: a
/// 500 that shows nothing, and a line in the log that shows all.
/// </summary>
internal sealed class Faults(ILogger<Faults> log) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception failure, CancellationToken stop)
    {
        switch (failure)
        {
            case BadHttpRequestException bad:
                await RefusalOf(bad).ExecuteAsync(http);
                return true;
            case ConnectionResetException: // its sender is gone, and so is whom to tell
                http.Abort();
                return true;
            case TooManyReadersException or StillCountedException:
                await Refusal.TryLater(failure.Message, http.Response).ExecuteAsync(http);
                return true;
            case PostgresException { SqlState: PostgresErrorCodes.QueryCanceled }:
                await Refusal.TryLater("The answer took too long to compute.", http.Response).ExecuteAsync(http);
                return true;
            case not null when DatabaseAway.Find(failure) is { } away:
                log.LogWarning(away, "PostgreSQL did not answer.");
                await Refusal.TryLater("The database does not answer.", http.Response).ExecuteAsync(http);
                return true;
            default:
                log.LogError(failure, "A request failed.");
                return false;
        }
    }

    private static IResult RefusalOf(BadHttpRequestException bad)
    {
        var fault = RequestBody.FaultOf(bad)!;
        return bad.StatusCode == StatusCodes.Status400BadRequest
            ? Refusal.Invalid("body", fault)
            : Refusal.Of(bad.StatusCode, "The body " + fault);
    }
}
