using System.Globalization;
using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Postgres;
using ErrorTracker.Tests.Hosting;
using Npgsql;

namespace ErrorTracker.Tests.Abuse;

/// <summary>A host with a PostgreSQL of its own, which tests may pause.</summary>
public sealed class AbusedHost : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);

    public HostProcess Host { get; private set; } = null!;

    public async Task InitializeAsync() =>
        Host =
            await HostProcess.StartAsync(("ErrorTracker__DataFolder", _folder), ("ErrorTracker__SingleNode", "true"));

    public async Task DisposeAsync()
    {
        await Host.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    public async Task RestartAsync()
    {
        await Host.DisposeAsync();
        await InitializeAsync();
    }

    /// <summary>Runs while PostgreSQL is stopped in the midst of what it does.</summary>
    public async Task WhilePausedAsync(Func<Task> run)
    {
        var firstLine = File.ReadLines(Path.Combine(_folder, "data", "postmaster.pid")).First();
        var postmaster = int.Parse(firstLine, CultureInfo.InvariantCulture);
        int[] server = [postmaster, .. ChildrenOf(postmaster)];
        try
        {
            foreach (var process in server) _ = HostProcess.Signal(process, HostProcess.Stop);
            await run();
        }
        finally
        {
            foreach (var process in server) _ = HostProcess.Signal(process, HostProcess.Continue);
        }
    }

    /// <summary>The messages of an application's stored events.</summary>
    public async Task<List<string>> MessagesAsync(Sender sender)
    {
        await using var source = NpgsqlDataSource.Create((await PrivateCluster.FindRunningAsync(_folder))!);
        await using var command = source.CreateCommand(
            $"select data->>'message' from errortracker.mt_events where tenant_id = '{sender.Id}'");
        await using var reader = await command.ExecuteReaderAsync();
        var messages = new List<string>();
        while (await reader.ReadAsync()) messages.Add(reader.GetString(0));
        return messages;
    }

    /// <summary>An event of at least that size.</summary>
    public static byte[] Event(string message, int size = 0) =>
        Encoding.UTF8.GetBytes(
            $$$"""{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"{{{message}}}","stack":"""
            + $$$"""{"pad":"{{{new string('p', size)}}}"}}""");

    public static HttpRequestMessage Post(Sender sender, string path, byte[] body, string type = MediaType.Json, string? encoding = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/{path}")
        {
            Content = new ByteArrayContent(body) { Headers = { ContentType = new(type) } },
            Headers = { { NativeIntake.KeyHeader, sender.Key } },
        };
        if (encoding is not null) request.Content.Headers.ContentEncoding.Add(encoding);
        return request;
    }

    internal static byte[] Http(Sender sender, byte[] body, int? length = null) =>
        [.. Encoding.ASCII.GetBytes(
            $"POST /apps/{sender.Id}/events HTTP/1.1\r\nHost: localhost\r\n{NativeIntake.KeyHeader}: "
            + $"{sender.Key}\r\nContent-Type: {MediaType.Json}\r\nContent-Length: {length ?? body.Length}\r\n\r\n"), .. body];

    private static IEnumerable<int> ChildrenOf(int parent) =>
        File.ReadAllText($"/proc/{parent}/task/{parent}/children").Split(
            ' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
}
