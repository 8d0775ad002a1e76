using System.Diagnostics;

namespace ErrorTracker.Benchmarks;

/// <summary>The baselines in a process of their own.</summary>
internal sealed class BaselineProcess : IAsyncDisposable
{
    public const string Command = "serve-baselines";

    private readonly Process _process;

    private BaselineProcess(Process process, int port) => (_process, Port) = (process, port);

    public int Port { get; }

    public static async Task<BaselineProcess> StartAsync(string connectionString)
    {
        var port = Host.FreePort();
        var started = new BaselineProcess(Process.Start(Environment.ProcessPath!, [Command, connectionString, $"{port}"]), port);
        using var http = new HttpClient();
        for (var patience = Stopwatch.StartNew(); patience.Elapsed < TimeSpan.FromSeconds(30); await Task.Delay(50))
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
