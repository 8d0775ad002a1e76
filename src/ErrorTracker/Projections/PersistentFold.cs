using ErrorTracker.Background;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Folds the current shard and goes on trying whatever happens: the daemon would stop a shard that fails, for good. It starts from the progress that
/// is recorded, which also tells what became of a commit that was cut off. Tables that are filled from the start of a long log are filled as a rebuild does.
/// </summary>
internal sealed class PersistentFold(NpgsqlDataSource database, ILogger log)
{
    /// <param name="ceiling">The sequence number to fold up to: at most the high-water mark.</param>
    /// <param name="advanced">Is told how far it is, after each chunk.</param>
    /// <param name="stop">Ends it.</param>
    public async Task UpToAsync(long ceiling, Func<long, Task> advanced, CancellationToken stop)
    {
        for (var failures = 0; ;)
            try
            {
                var done = await ReadProgressAsync(stop);
                if (done >= ceiling) return;
                if (done == 0 && ceiling > Rebuild.Worthwhile && await new Rebuild(database).RunAsync(_ => { }, stop)) continue;
                var next = Math.Min(done + CounterShard.Chunk, ceiling);
                if (!await CounterShard.Current.FoldAsync(database, done, next, stop)) continue;
                if (failures > 0)
                    log.LogInformation(LastingFault.Over, "The counters are folded again, after {Failures} failures.", failures);
                failures = 0;
                await advanced(next);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                await RecoverAsync(e, ceiling, failures++, stop);
            }
    }

    private async Task<long> ReadProgressAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        return await CounterShard.Current.ReadProgressAsync(connection, stop);
    }

    private async Task RecoverAsync(Exception failure, long ceiling, int failures, CancellationToken stop)
    {
        log.LogError(failure, "The counters could not be folded, which is tried again.");
        await Task.Delay(TimeSpan.FromMilliseconds(Math.Min(100 << Math.Min(failures, 10), 2_000)), stop);
        try
        {
            if (failure is not PostgresException { SqlState: PostgresErrorCodes.UndefinedTable } || !await CounterShard.Current.RestoreAsync(database, stop))
                await CounterShard.Current.NoteFailureAsync(database, ceiling, failure.Message, stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            log.LogWarning(e, "That the counters cannot be folded could not be noted or mended.");
        }
    }
}
