using System.Diagnostics;
using System.Runtime.Versioning;
using ErrorTracker.Background;
using ErrorTracker.Configuration;

namespace ErrorTracker.Postgres;

/// <summary>
/// Starts a private cluster's server again whenever it has ended: killed, crashed, or stopped by somebody else. One
/// that was told to stop and waits for its connections is made to end first. After several starts that failed it gives
/// up.
/// </summary>
[SupportedOSPlatform("linux")]
internal sealed class Revival
{
    private const int MostAttempts = 5, FirstSignal = 128;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);

    private readonly ClusterFolder _folder;
    private readonly string _binaries;
    private readonly CancellationToken _stop;
    private readonly TaskCompletionSource<string> _givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Task _run;
    private PostgresServer _server;
    private Action<LogLevel, string> _say = (_, line) => Console.Error.WriteLine(line);

    public Revival(ClusterFolder folder, string binaries, PostgresServer server, CancellationToken stop)
    {
        (_folder, _binaries, _server, _stop) = (folder, binaries, server, stop);
        _run = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Completes with the reason if the server cannot be started again.</summary>
    public Task<string> GivenUp => _givenUp.Task;

    /// <summary>
    /// Where its lines go, one when the server has gone and one when it is back; to standard error until this is
    /// called.
    /// </summary>
    public void SayTo(Action<LogLevel, string> say) => Volatile.Write(ref _say, say);

    /// <summary>The server that is to be stopped, when this is told to stop.</summary>
    public async Task<PostgresServer> LastAsync()
    {
        await _run;
        return _server;
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                var how = await EndsAsync();
                Say(LogLevel.Error, $"PostgreSQL has gone ({how}) and is started again.");
                var watch = Stopwatch.StartNew();
                if (await BringBackAsync() is { } reason)
                {
                    _givenUp.SetResult(reason);
                    return;
                }
                Say(LogLevel.Information, $"PostgreSQL is back after {watch.Elapsed.TotalSeconds:0.0} s.");
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
            // Its owner stops.
        }
        catch (Exception e)
        {
            _givenUp.SetResult(e.Message);
        }
    }

    /// <summary>
    /// Waits for the server's end, and hastens that of one that somebody told to stop or whose data are gone. Answers
    /// how it ended.
    /// </summary>
    private async Task<string> EndsAsync()
    {
        while (await Task.WhenAny(_server.Exited, Task.Delay(EachSecond.UntilNext(), _stop)) != _server.Exited)
        {
            _stop.ThrowIfCancellationRequested();
            if (_server.IsStopping || !_folder.HasCluster) await _server.StopAsync();
        }
        _stop.ThrowIfCancellationRequested();
        var code = await _server.Exited;
        if (code > FirstSignal) return $"ended by signal {code - FirstSignal}";
        return code == 0 ? "somebody stopped it" : $"exit code {code}";
    }

    /// <summary>Null when it is back, else why it is not.</summary>
    private async Task<string?> BringBackAsync()
    {
        for (var (attempt, pause) = (1, FirstPause); ; attempt++, pause *= 2)
            try
            {
                if (!_folder.HasCluster) return $"its data in {_folder.Data} are gone";
                await _folder.ClearOrphansAsync(_stop);
                _server = await PostgresServer.LaunchAsync(_folder, _binaries);
                await _server.ReadyAsync(_stop);
                return null;
            }
            catch (Exception e) when (e is StartupException or IOException or UnauthorizedAccessException)
            {
                if (attempt == MostAttempts) return $"after {attempt} attempts: {e.Message}";
                await Task.Delay(pause, _stop);
            }
    }

    private void Say(LogLevel level, string line) => Volatile.Read(ref _say)(level, line);
}
