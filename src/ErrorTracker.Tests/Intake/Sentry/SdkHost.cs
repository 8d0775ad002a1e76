using System.Text.Json;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Intake.Sentry;

/// <summary>
/// A host on a real socket, for SDKs that know nothing but a DSN. Tests share it: each registers an application of its
/// own.
/// </summary>
public sealed class SdkHost(SharedApi shared) : IAsyncLifetime
{
    private HostProcess? _host;
    private string? _database, _address;

    public HttpClient Http => _host!.Http;

    /// <summary>Again where it was before, if it was.</summary>
    public async Task StartAsync()
    {
        _database ??= await shared.Server.NewDatabaseAsync();
        _host = await HostProcess.StartAtAsync(
            _address ?? "http://127.0.0.1:0", ("ConnectionStrings__ErrorTracker", _database),
            ("ErrorTracker__SingleNode", "true"));
        _address = Http.BaseAddress!.ToString();
    }

    public async Task StopAsync() => await _host!.DisposeAsync();

    public Task InitializeAsync() => StartAsync();

    public Task DisposeAsync() => StopAsync();

    public async Task<(int Application, string Dsn)> RegisterAsync()
    {
        var answer = JsonDocument.Parse(
            await (await Http.PostAsync("/apps/sdk-" + Guid.NewGuid().ToString("N"), null)).Content.ReadAsStringAsync()).RootElement;
        return (answer.GetProperty("id").GetInt32(), answer.GetProperty("dsn").GetString()!);
    }

    /// <summary>Waits until so many events are stored, and answers them in the order in which they arrived.</summary>
    public async Task<List<JsonElement>> EventsAsync(int application, int expected)
    {
        List<JsonElement> events = [];
        await Eventually.Async(async () =>
        {
            events.Clear();
            for (int? offset = 0; offset is not null;)
            {
                var page = await GetAsync($"/apps/{application}/events?limit=50&offset={offset}");
                events.AddRange(page.GetProperty("items").EnumerateArray());
                offset = page.GetProperty("next_offset") is { ValueKind: JsonValueKind.Number } next ? next.GetInt32() : null;
            }
            return events.Count >= expected;
        }, $"{expected} events have arrived");
        Assert.Equal(expected, events.Count);
        events.Reverse();
        return events;
    }

    public Task<JsonElement> LossAsync(int application) => GetAsync($"/apps/{application}/loss?since=2020-01-01&until=2100-01-01");

    private async Task<JsonElement> GetAsync(string path) => JsonDocument.Parse(await Http.GetStringAsync(path)).RootElement;
}
