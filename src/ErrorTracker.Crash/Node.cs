using System.Net;
using System.Net.Sockets;

namespace ErrorTracker.Crash;

/// <summary>The API in a process of its own.</summary>
/// <param name="database">
/// The setting that says which database it works with: one that it shares with others, or one of its own.
/// </param>
internal sealed class Node(int number, string program, string log, (string Key, string Value) database)
    : IAsyncDisposable
{
    /// <summary>
    /// Below the ports that the kernel gives to clients: one of those could meet itself while the node is down.
    /// </summary>
    private const int LowestPort = 20_000, HighestPort = 32_000;

    /// <summary>Longer than the API leaves a commit in doubt.</summary>
    private static readonly TimeSpan LongestAnswer = TimeSpan.FromSeconds(90), LongestEnd = TimeSpan.FromSeconds(40);

    private Child? _process;

    public int Number => number;

    public HttpClient Http { get; } = new()
    {
        BaseAddress = new($"http://127.0.0.1:{FreePort()}"),
        Timeout = LongestAnswer,
    };

    public DateTime StartedAt { get; private set; }

    /// <summary>It is meant to run.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>It ended without being told to.</summary>
    public bool HasDied => IsStarted && _process!.Exited.IsCompleted;

    public async Task StartAsync()
    {
        _process = await RunAsync("--urls", Http.BaseAddress!.ToString());
        IsStarted = true;
        StartedAt = DateTime.UtcNow;
    }

    public async Task<int> EndAsync(int signal)
    {
        IsStarted = false;
        return await _process!.EndAsync(signal, LongestEnd);
    }

    /// <summary>One of the program's commands, or the host.</summary>
    public Task<Child> RunAsync(params string[] arguments) =>
        Child.StartAsync(log, ["dotnet", program, .. arguments], user: null, database);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null) await EndAsync(Child.Terminate);
        Http.Dispose();
    }

    private static int FreePort()
    {
        while (true)
            try
            {
                var port = Random.Shared.Next(LowestPort, HighestPort);
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken.
            }
    }
}
