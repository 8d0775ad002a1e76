using System.Globalization;
using ErrorTracker.Http;
using ErrorTracker.Limits;

namespace ErrorTracker.Applications;

/// <summary>
/// How many applications strangers may register at this node in a minute: there is a limit only where no read token
/// keeps them out.
/// </summary>
/// <param name="perMinute">0 for any number.</param>
public sealed class RegistrationLimit(int perMinute, TimeProvider clock)
{
    private readonly TokenBucket? _bucket = perMinute > 0 ? new(perMinute, TimeSpan.FromMinutes(1), clock) : null;

    /// <summary>Counts an attempt; null if it may go on, else the answer that refuses it.</summary>
    internal IResult? Take(HttpResponse response)
    {
        if (_bucket is null || _bucket.TryTake(out var wait)) return null;
        var limit = perMinute.ToString("N0", CultureInfo.InvariantCulture);
        var seconds = Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));
        return Refusal.TooMany($"This node registers {limit} applications a minute while no read token is set.", seconds, response);
    }
}
