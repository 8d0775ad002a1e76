using System.Diagnostics;

namespace ErrorTracker.Benchmarks;

/// <summary>The baselines in a process of their own.</summary>
internal sealed class BaselineProcess : IAsyncDisposable
{
    public const string Command = "serve-baselines";

    private static readonly TimeSpan LongestStart = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(50);

    private readonly Process _process;

    private BaselineProcess(Process process, int port)
    {
        _process = process;
        Port = port;
    }

    public int Port { get; }

    public static async Task<BaselineProcess> StartAsync(string connectionString)
    {
        var port = Host.FreePort();
        var process = Process.Start(Environment.ProcessPath!, [Command, connectionString, $"{port}"]);
        var started = new BaselineProcess(process, port);
        using var http = new HttpClient();
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < LongestStart; await Task.Delay(Pause))
            try
            {
                await http.GetAsync($"http://127.0.0.1:{port}/");
                return started;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        throw new TimeoutException("The baselines did not start.");
    }

    public async ValueTask DisposeAsync() => await Host.StopAsync(_process);
}
