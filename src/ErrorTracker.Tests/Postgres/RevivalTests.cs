using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using ErrorTracker.Postgres;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Postgres;

/// <summary>Hosts whose private PostgreSQL ends while they run.</summary>
public sealed class RevivalTests : IDisposable
{
    private const int Kill = 9, Interrupt = 2, Terminate = 15;

    private readonly string _folder =
        Path.Combine(Path.GetTempPath(), $"errortracker-tests-{Guid.NewGuid().ToString()[..8]}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Data => Path.Combine(_folder, "data");

    /// <summary>
    /// As the kernel does where memory is short, as an administrator does, and as a supervisor does that signals all
    /// processes of a service.
    /// </summary>
    [Fact]
    public async Task a_postgresql_that_ends_under_load_comes_back_each_time_and_nothing_acknowledged_is_lost()
    {
        await using var host = await StartAsync();
        var sender = await host.RegisterAsync();
        using var enough = new CancellationTokenSource();
        var count = 0;
        var load = host.LoadAsync(sender, connections: 3, acknowledged: now => count = now, enough.Token);
        var ends = 0;
        foreach (var signal in new[] { Kill, Interrupt, Terminate, Kill })
        {
            var (soFar, ended) = (count, ++ends);
            await Eventually.Async(() => Task.FromResult(count > soFar + 50), "events are acknowledged");
            SignalPostmaster(signal);
            await SaysAsync(host, "PostgreSQL is back", ended);
            Assert.Equal(ended, Lines(host, "PostgreSQL has gone"));
            var how = signal == Kill ? "ended by signal 9" : "somebody stopped it";
            Assert.Contains($"PostgreSQL has gone ({how})", host.Output);
        }
        await enough.CancelAsync();
        var (sent, acknowledged) = await load;
        await IsWellAsync(host);

        var stored = await StoredAsync(host, sender);
        Assert.Empty(acknowledged.Except(stored));
        Assert.Equal(stored.Count, stored.Distinct().Count());
        Assert.InRange(stored.Count, acknowledged.Count, sent);
    }

    [Fact]
    public async Task a_postgresql_whose_data_are_gone_ends_the_host_with_its_reason_and_an_exit_code()
    {
        await using var host = await StartAsync();
        Directory.Move(Data, Data + "-moved");
        Assert.Equal(1, await host.EndsByItselfAsync());
        await SaysAsync(host, $"PostgreSQL cannot be started again, so the host ends: its data in {Data} are gone");
        Assert.DoesNotContain("Unhandled exception", host.Output);
    }

    [Fact]
    public async Task a_postgresql_that_does_not_start_any_more_ends_the_host_with_what_it_said()
    {
        await using var host = await StartAsync();
        await File.WriteAllTextAsync(Path.Combine(Data, "postgresql.auto.conf"), "no_such_setting = on\n");
        SignalPostmaster(Kill);
        Assert.Equal(1, await host.EndsByItselfAsync());
        await SaysAsync(host, "so the host ends: after 5 attempts: PostgreSQL ended while starting (FATAL:");
        Assert.Equal(1, Lines(host, "PostgreSQL has gone"));
    }

    [Fact]
    public async Task a_host_that_is_stopped_does_not_bring_its_postgresql_back()
    {
        await using var host = await StartAsync();
        SignalPostmaster(Terminate); // as a supervisor does that signals all processes of a service
        Assert.Equal(0, await host.EndAsync(HostProcess.Terminate));
        Assert.Empty(ClusterFolder.ProcessesIn(Data));
    }

    private Task<HostProcess> StartAsync() => HostProcess.StartAsync(("ErrorTracker__DataFolder", _folder));

    private void SignalPostmaster(int signal)
    {
        var firstLine = File.ReadLines(Path.Combine(Data, "postmaster.pid")).First();
        var postmaster = int.Parse(firstLine, CultureInfo.InvariantCulture);
        Assert.Equal(0, HostProcess.Signal(postmaster, signal));
    }

    private static Task SaysAsync(HostProcess host, string part, int times = 1) =>
        Eventually.Async(() => Task.FromResult(Lines(host, part) == times), $"it says {times} times: {part}");

    private static int Lines(HostProcess host, string part) =>
        host.Output.Split('\n').Count(line => line.Contains(part));

    /// <summary>Ready, and a new application's event is stored and folded.</summary>
    private static async Task IsWellAsync(HostProcess host)
    {
        await Eventually.Async(
            async () => (await host.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");
        var sender = await host.RegisterAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events")
        {
            Content = JsonContent.Create(
                new { occurred_at = "2026-01-31T12:00:00Z", level = "ERROR", message = "after" }),
            Headers = { { "X-INGEST-KEY", sender.Key } },
        };
        using var answer = await host.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        await Eventually.Async(
            async () => (await GetAsync(host, "/projections")).EnumerateArray().All(IsCaughtUp), "it folds");

        static bool IsCaughtUp(JsonElement projection) =>
            projection.GetProperty("processed").GetInt64() > 0
            && projection.GetProperty("state").GetString() == "caught up";
    }

    private static async Task<List<string>> StoredAsync(HostProcess host, Sender sender)
    {
        var stored = new List<string>();
        for (int? offset = 0; offset is not null;)
        {
            var page = await GetAsync(host, $"/apps/{sender.Id}/events?limit=50&offset={offset}");
            var items = page.GetProperty("items").EnumerateArray();
            stored.AddRange(items.Select(item => item.GetProperty("message").GetString()!));
            offset = page.GetProperty("next_offset").Deserialize<int?>();
        }
        return stored;
    }

    private static Task<JsonElement> GetAsync(HostProcess host, string url) =>
        host.Http.GetFromJsonAsync<JsonElement>(url);
}
