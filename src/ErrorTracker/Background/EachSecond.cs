using Npgsql;

namespace ErrorTracker.Background;

/// <summary>
/// Background: what the host does by itself, again and again, and how it logs faults that last. This room owns the
/// rhythm and no work. It may use Limits, Configuration and Http.
/// </summary>
/// <remarks>
/// A service of this class does something each second for as long as the host runs, whatever fails: while the database
/// is away, the next second tries again. The log tells when it begins to fail and when it works again.
/// </remarks>
public abstract class EachSecond(ILogger log) : BackgroundService
{
    private static readonly TimeSpan FinishTimeout = TimeSpan.FromSeconds(3);

    /// <param name="second">How often it was done before; those that failed count.</param>
    /// <param name="stop">The host stops.</param>
    protected abstract Task DoAsync(long second, CancellationToken stop);

    /// <summary>The host has stopped: what is left to write is written, if the database answers soon.</summary>
    protected virtual Task FinishAsync(CancellationToken stop) => Task.CompletedTask;

    /// <summary>
    /// Until the next whole second: an idle process in which all that is done each second is done at the same moment
    /// wakes once a second.
    /// </summary>
    internal static TimeSpan UntilNext()
    {
        var left = TimeSpan.TicksPerSecond - DateTime.UtcNow.Ticks % TimeSpan.TicksPerSecond;
        return TimeSpan.FromTicks(left) + TimeSpan.FromMilliseconds(1);
    }

    protected sealed override async Task ExecuteAsync(CancellationToken stop)
    {
        var failures = 0;
        for (var second = 0L; ; second++)
        {
            if (second > 0) await Task.Delay(UntilNext(), stop);
            try
            {
                await DoAsync(second, stop);
                if (failures == 0) continue;
                var service = GetType().Name;
                log.LogInformation(
                    LastingFault.Over, "{Service} works again, after {Failures} failures.", service, failures);
                failures = 0;
            }
            catch (Exception e) when (e is not OperationCanceledException || !stop.IsCancellationRequested)
            {
                failures++;
                log.LogWarning(e, "{Service} fails, and tries again each second.", GetType().Name);
            }
        }
    }

    public sealed override async Task StopAsync(CancellationToken stop)
    {
        await base.StopAsync(stop);
        using var limit = new CancellationTokenSource(FinishTimeout);
        try
        {
            await FinishAsync(limit.Token);
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            log.LogWarning("{Service} could not write what was left: {Reason}", GetType().Name, e.Message);
        }
    }
}
