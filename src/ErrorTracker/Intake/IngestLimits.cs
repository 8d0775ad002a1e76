using System.Collections.Concurrent;
using System.Globalization;
using ErrorTracker.Limits;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake;

/// <summary>A limit that an application has reached: the event was not counted on it.</summary>
/// <param name="Reason">Under which the refusal is counted.</param>
/// <param name="Detail">Which limit, for the sender; a sentence.</param>
/// <param name="RetryAfter">Seconds after which it is worth another try, at least 1.</param>
internal sealed record ReachedLimit(Reason Reason, string Detail, int RetryAfter);

/// <summary>
/// How much an operator lets each application send to this node: events a second, and inflated bytes of events a day.
/// Days are those of UTC; a process that starts anew counts its day anew. Each native event counts when it arrives,
/// valid or not; an SDK's event counts if it is valid, with its bytes as they are stored. Without limits this costs
/// nothing.
/// </summary>
/// <param name="eventsPerSecond">0 for any number.</param>
/// <param name="bytesPerDay">0 for any number.</param>
public sealed class IngestLimits(int eventsPerSecond, long bytesPerDay, TimeProvider clock)
{
    private readonly ConcurrentDictionary<int, Use>? _uses = eventsPerSecond > 0 || bytesPerDay > 0 ? new() : null;

    private readonly string
        _tooFast = $"An application may send {Text(eventsPerSecond)} events a second to this node.",
        _tooMuch = $"An application may send {Text(bytesPerDay)} bytes of events a day to this node.";

    /// <summary>Counts an event; null if the application may send it.</summary>
    /// <param name="application">Whose it is: its key has opened the application.</param>
    /// <param name="bytes">Of the event, inflated.</param>
    internal ReachedLimit? Take(int application, int bytes) =>
        _uses is null ? null : Take(_uses.GetOrAdd(application, static (_, limits) => limits.NewUse(), this), bytes);

    private Use NewUse() => new(eventsPerSecond, clock);

    private ReachedLimit? Take(Use use, int bytes)
    {
        if (use.Events is { } bucket && !bucket.TryTake(out var wait))
            return new(Reason.RateLimited, _tooFast, WholeSeconds(wait));
        if (bytesPerDay == 0) return null;
        var now = clock.GetUtcNow().UtcDateTime;
        if (use.TryAddBytes(bytes, DateOnly.FromDateTime(now), bytesPerDay)) return null;
        return new(Reason.OverQuota, _tooMuch, WholeSeconds(now.Date.AddDays(1) - now));
    }

    private static string Text(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static int WholeSeconds(TimeSpan wait) => Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds));

    /// <summary>What an application has used.</summary>
    private sealed class Use(int eventsPerSecond, TimeProvider clock)
    {
        private Today _today = new(default);

        public TokenBucket? Events { get; } =
            eventsPerSecond > 0 ? new(eventsPerSecond, TimeSpan.FromSeconds(1), clock) : null;

        /// <summary>False, and nothing added, if the day would have more than allowed.</summary>
        public bool TryAddBytes(int bytes, DateOnly day, long most)
        {
            var today = Volatile.Read(ref _today);
            if (today.Day != day)
            {
                Interlocked.CompareExchange(ref _today, new(day), today);
                today = Volatile.Read(ref _today);
            }
            if (Interlocked.Add(ref today.Bytes, bytes) <= most) return true;
            Interlocked.Add(ref today.Bytes, -bytes);
            return false;
        }
    }

    private sealed class Today(DateOnly day)
    {
        public long Bytes;

        public DateOnly Day => day;
    }
}
