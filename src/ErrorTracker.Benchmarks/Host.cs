using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Postgres;
using Npgsql;

namespace ErrorTracker.Benchmarks;

/// <summary>An application that sends.</summary>
internal sealed record Sender(int Id, string Key);

/// <summary>
/// The API in a process of its own, as <c>./run</c> starts it, on a private cluster in a folder that goes with it.
/// </summary>
internal sealed class Host : IAsyncDisposable
{
    private const int Terminate = 15;

    private static readonly TimeSpan LongestStart = TimeSpan.FromMinutes(2), LongestFold = TimeSpan.FromHours(1);

    private static readonly string Assembly = Path.GetFullPath("src/ErrorTracker/bin/published/ErrorTracker.dll");

    private readonly Process _process;
    private readonly string _folder;

    private Host(Process process, string folder, int port)
    {
        _process = process;
        _folder = folder;
        Port = port;
        Database = NpgsqlDataSource.Create(ConnectionString + ";Command Timeout=0");
        Http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{port}") };
    }

    public int Port { get; }

    public string ConnectionString =>
        $"Host={Path.Combine(_folder, "socket")};Username=errortracker;Database=postgres";

    public HttpClient Http { get; }

    public NpgsqlDataSource Database { get; }

    public double CpuSeconds
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalSeconds;
        }
    }

    public double ResidentMegabytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64 / 1e6;
        }
    }

    public static async Task<Host> StartAsync()
    {
        // PostgreSQL's socket is in it, and the path of a socket is short.
        var folder = Path.Combine(Path.GetTempPath(), $"errortracker-bench-{Guid.NewGuid():N}"[..32]);
        Directory.CreateDirectory(folder);
        var port = FreePort();
        var host = new Host(Start(folder, "--urls", $"http://127.0.0.1:{port}"), folder, port);
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < LongestStart; await Task.Delay(50))
            try
            {
                if ((await host.Http.GetAsync("/health/ready")).IsSuccessStatusCode) return host;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
        throw new TimeoutException("The API did not get ready.");
    }

    /// <summary>One of the program's commands, run beside the host on its cluster.</summary>
    public async Task<TimeSpan> CommandAsync(params string[] command)
    {
        var watch = Stopwatch.StartNew();
        using var process = Start(_folder, command);
        await process.WaitForExitAsync();
        if (process.ExitCode == 0) return watch.Elapsed;
        throw new InvalidOperationException($"{string.Join(' ', command)} ended with {process.ExitCode}.");
    }

    public async Task<Sender> RegisterAsync(string name)
    {
        using var answer = await Http.PostAsync($"/apps/{name}", null);
        var registered = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return new(registered.GetProperty("id").GetInt32(), registered.GetProperty("ingest_key").GetString()!);
    }

    /// <summary>All events of an application, as its statistics count them.</summary>
    public async Task<long> CountAsync(Sender sender)
    {
        var url = $"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01";
        var levels = (await Http.GetFromJsonAsync<JsonElement>(url)).GetProperty("items").EnumerateArray();
        return levels.Sum(level => level.GetProperty("count").GetInt64());
    }

    /// <summary>Waits until the counters have folded the whole log.</summary>
    public async Task FoldedAsync()
    {
        const string last = $"select coalesce(max(seq_id), 0) from {LogSchema.Name}.mt_events";
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < LongestFold; await Task.Delay(200))
        {
            var projections = await Http.GetFromJsonAsync<JsonElement>("/projections");
            if (projections[0].GetProperty("processed").GetInt64() >= await ScalarAsync<long>(last)) return;
        }
        throw new TimeoutException("The counters did not catch up.");
    }

    /// <summary>Waits until minutes that are over are closed, but for the last that live events may have.</summary>
    public async Task ClosedAsync()
    {
        const int lastMinutes = 3;
        var open = $"select count(*) from {CounterTables.Current.OpenBuckets}";
        for (var watch = Stopwatch.StartNew(); watch.Elapsed < LongestFold; await Task.Delay(200))
            if (await ScalarAsync<long>(open) <= lastMinutes) return;
        throw new TimeoutException("The minutes were not closed.");
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>
    /// How long a statement takes, in milliseconds, without parallel workers: one query on one core.
    /// </summary>
    public async Task<double> TimeAsync(string sql)
    {
        const string settings = "set max_parallel_workers_per_gather = 0; set work_mem = '64MB'; set jit = off";
        await using var connection = await Database.OpenConnectionAsync();
        await using var alone = new NpgsqlCommand(settings, connection);
        await alone.ExecuteNonQueryAsync();

        var watch = Stopwatch.StartNew();
        await using var command = new NpgsqlCommand(sql, connection);
        await using (var reader = await command.ExecuteReaderAsync())
            while (await reader.ReadAsync()) { }
        return watch.Elapsed.TotalMilliseconds;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        await Database.DisposeAsync();
        await StopAsync(_process);
        Directory.Delete(_folder, recursive: true);
    }

    public static async Task StopAsync(Process process)
    {
        _ = PostgresServer.Signal(process.Id, Terminate); // it may be gone already
        await process.WaitForExitAsync();
        process.Dispose();
    }

    public static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static Process Start(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Assembly, .. arguments]) { RedirectStandardOutput = true };
        start.Environment["ErrorTracker__DataFolder"] = folder;
        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        return process;
    }
}
