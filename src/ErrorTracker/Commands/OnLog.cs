using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Commands;

/// <summary>What commands that work on a log have in common.</summary>
internal static class OnLog
{
    /// <summary>The exit code of a command that could not do its work.</summary>
    public const int Failed = 2;

    /// <summary>There must be a log, and Ctrl-C ends the command.</summary>
    public static async Task<int> RunAsync(IServiceProvider services, Func<CancellationToken, Task<int>> command)
    {
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) =>
        {
            e.Cancel = true;
            interrupted.Cancel();
        };
        var database = services.GetRequiredService<LogDatabases>().Main.Reserved;
        try
        {
            return await LogProgress.ExistsAsync(database, interrupted.Token)
                ? await command(interrupted.Token)
                : Fail("The database has no log yet: start a host or run db-apply.");
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return Fail("Interrupted.");
        }
    }

    public static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return Failed;
    }
}
