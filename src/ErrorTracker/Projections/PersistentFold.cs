using ErrorTracker.Background;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// Folds the log into the tables that serve, and goes on trying whatever happens: the daemon would stop a shard that
/// fails, for good. It starts from the progress that is recorded, which also tells what became of a commit that was cut
/// off. Tables that are filled from the start of a long log are filled as a rebuild does.
/// </summary>
internal sealed class PersistentFold(Projection projection, NpgsqlDataSource database, ILogger log)
{
    /// <summary>
    /// So many events at least are folded faster by a rebuild, if the projection has a way of its own for that.
    /// </summary>
    private const long WorthRebuilding = 500_000;

    private static readonly TimeSpan
        FirstPause = TimeSpan.FromMilliseconds(100),
        LongestPause = TimeSpan.FromSeconds(2);

    private readonly ProjectionShard _shard = ProjectionShard.Of(projection);

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
                if (done == 0 && await RebuildsAsync(ceiling, stop)) continue;
                var next = Math.Min(done + ProjectionShard.Chunk, ceiling);
                if (!await _shard.FoldAsync(database, done, next, stop)) continue;
                if (failures > 0) TellOver(failures);
                failures = 0;
                await advanced(next);
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                await RecoverAsync(e, ceiling, failures++, stop);
            }
    }

    private void TellOver(int failures) => log.LogInformation(
        LastingFault.Over, "{Projection} could be folded again, after {Failures} failures.", projection.Name, failures);

    private async Task<long> ReadProgressAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        return await LogProgress.ReadAsync(connection, _shard.Row, stop);
    }

    /// <summary>False if that is not worth while, or if another rebuild runs.</summary>
    private async Task<bool> RebuildsAsync(long ceiling, CancellationToken stop) =>
        projection.Grouped is not null && ceiling > WorthRebuilding
        && await new Rebuild(projection, database).RunAsync(_ => { }, stop);

    private async Task RecoverAsync(Exception failure, long ceiling, int failures, CancellationToken stop)
    {
        log.LogError(failure, "{Projection} could not be folded, which is tried again.", projection.Name);
        var pause = FirstPause * Math.Pow(2, Math.Min(failures, 10));
        await Task.Delay(pause < LongestPause ? pause : LongestPause, stop);
        try
        {
            var isLost = failure is PostgresException { SqlState: PostgresErrorCodes.UndefinedTable };
            if (isLost && await _shard.RestoreAsync(database, stop)) return;
            await _shard.NoteFailureAsync(database, ceiling, failure.Message, stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            log.LogWarning(e, "That {Projection} could not be folded could not be noted or mended.", projection.Name);
        }
    }
}
