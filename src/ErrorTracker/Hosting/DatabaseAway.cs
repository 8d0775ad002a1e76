using ErrorTracker.Http;
using Microsoft.AspNetCore.Diagnostics;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>While PostgreSQL is away, restarts or has no room, what needs it is answered 503 with Retry-After: nobody's mistake, and soon over.</summary>
internal sealed class DatabaseAway(ILogger<DatabaseAway> log) : IExceptionHandler
{
    /// <summary>SQLSTATE classes: connection, transaction rolled back, resources, object not ready, operator's intervention.</summary>
    private static readonly string[] Passing = ["08", "40", "53", "55", "57"];

    public async ValueTask<bool> TryHandleAsync(HttpContext http, Exception failure, CancellationToken stop)
    {
        if ((failure as NpgsqlException ?? failure.InnerException as NpgsqlException) is not { } away || away is PostgresException { SqlState: var state } && !Passing.Contains(state[..2])) return false;
        log.LogWarning("PostgreSQL did not answer: {Reason}", away.Message);
        await Refusal.TryLater("The database does not answer.", http.Response).ExecuteAsync(http);
        return true;
    }
}
