using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ErrorTracker.Intake.Native;

namespace ErrorTracker.Tests.Hosting;

/// <summary>The host as a process of its own, as a user starts it, on a free port of loopback.</summary>
public sealed partial class HostProcess : IAsyncDisposable
{
    public const int Interrupt = 2, Kill = 9, Terminate = 15, Continue = 18, Stop = 19;

    /// <summary>
    /// From its own output folder: beside the tests it would find their libraries too, and search them for commands.
    /// </summary>
    internal static readonly string Program =
        Path.Combine(AppContext.BaseDirectory.Replace("ErrorTracker.Tests", "ErrorTracker"), "ErrorTracker.dll");

    private readonly Process _process;
    private readonly TaskCompletionSource<string> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _lines = [];

    private HostProcess(Process process) => _process = process;

    public HttpClient Http { get; } = new();

    public int Id => _process.Id;

    /// <summary>Bytes of physical memory that it uses.</summary>
    public long Resident
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public string Output
    {
        get { lock (_lines) return string.Join('\n', _lines); }
    }

    public static Task<HostProcess> StartAsync(params (string Key, string Value)[] environment) =>
        StartAtAsync("http://127.0.0.1:0", environment);

    /// <summary>Where a host has been before, for those who come back to it.</summary>
    public static async Task<HostProcess> StartAtAsync(string url, params (string Key, string Value)[] environment)
    {
        var host = Begin(url, environment);
        await host.ListensAsync();
        return host;
    }

    /// <summary>It may be long until it listens, if ever.</summary>
    public static HostProcess Begin(params (string Key, string Value)[] environment) =>
        Begin("http://127.0.0.1:0", environment);

    private static HostProcess Begin(string url, (string Key, string Value)[] environment)
    {
        var host = new HostProcess(Launch(["--urls", url], environment));
        host._process.OutputDataReceived += host.Note;
        host._process.ErrorDataReceived += host.Note;
        host._process.BeginOutputReadLine();
        host._process.BeginErrorReadLine();
        return host;
    }

    public async Task ListensAsync() => Http.BaseAddress = new(await _address.Task.WaitAsync(TimeSpan.FromSeconds(60)));

    /// <summary>True if it ended instead of listening.</summary>
    public async Task<bool> EndedAsync()
    {
        try
        {
            await ListensAsync();
            return false;
        }
        catch (InvalidOperationException)
        {
            await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
            return true;
        }
    }

    /// <summary>Runs a command to its end and answers its exit code and what it wrote.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string[] arguments, params (string Key, string Value)[] environment)
    {
        using var process = Launch(arguments, environment);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return (process.ExitCode, await output + await errors);
    }

    public async Task<int> EndAsync(int signal)
    {
        Assert.Equal(0, Signal(_process.Id, signal));
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60));
        return _process.ExitCode;
    }

    /// <summary>Waits for its end, which nobody brings about here, and answers its exit code.</summary>
    public async Task<int> EndsByItselfAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(90));
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) await EndAsync(Terminate);
        _process.Dispose();
        Http.Dispose();
    }

    public async Task<Sender> RegisterAsync()
    {
        var answer = await Http.PostAsync("/apps/load-" + Guid.NewGuid().ToString("N"), null);
        var registered = System.Text.Json.JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return new(registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!);
    }

    /// <summary>
    /// Sends errors on several connections until the host is gone or it is enough; answers how many were sent, and the
    /// messages of those answered 201.
    /// </summary>
    public async Task<(int Sent, List<string> Acknowledged)> LoadAsync(
        Sender sender, int connections, Action<int> acknowledged, CancellationToken enough = default)
    {
        var (sent, messages) = (0, new List<string>());
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async _ =>
        {
            try
            {
                while (!enough.IsCancellationRequested)
                {
                    var message = $"message {Interlocked.Increment(ref sent)}";
                    var body = $$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"{{message}}"}""";
                    using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events")
                    {
                        Content = new StringContent(body, null, "application/json"),
                        Headers = { { NativeIntake.KeyHeader, sender.Key } },
                    };
                    using var answer = await Http.SendAsync(request);
                    if ((int)answer.StatusCode != 201) continue;
                    lock (messages) messages.Add(message);
                    acknowledged(messages.Count);
                }
            }
            catch (HttpRequestException)
            {
            }
        }));
        return (sent, messages);
    }

    private static Process Launch(string[] arguments, (string Key, string Value)[] environment)
    {
        var start = new ProcessStartInfo("dotnet", [Program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["ErrorTracker__RegistrationsPerMinute"] = "0";
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Process.Start(start)!;
    }

    private void Note(object _, DataReceivedEventArgs line)
    {
        if (line.Data is null)
        {
            _address.TrySetException(new InvalidOperationException("The host ended: " + Output));
            return;
        }
        lock (_lines) _lines.Add(line.Data);
        if (ListensOn().Match(line.Data) is { Success: true } match) _address.TrySetResult(match.Groups[1].Value);
    }

    [GeneratedRegex("listens on (http://[^ ;,]+)")]
    private static partial Regex ListensOn();

    [DllImport("libc", EntryPoint = "kill")]
    internal static extern int Signal(int pid, int signal);
}
