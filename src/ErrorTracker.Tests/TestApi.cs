using System.Text.Json;
using Alba;
using ErrorTracker.Commit;
using ErrorTracker.Counters;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Marten;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace ErrorTracker.Tests;

/// <summary>An application registered by a test.</summary>
public sealed record Sender(int Id, string Key);

/// <summary>The whole host on a real database, driven through its HTTP pipeline.</summary>
public sealed class TestApi : IAsyncDisposable
{
    private TestApi(IAlbaHost host, AdjustableClock clock)
    {
        Host = host;
        Clock = clock;
    }

    private static readonly JsonSerializerOptions SnakeCase =
        new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public IAlbaHost Host { get; }

    public AdjustableClock Clock { get; }

    public NpgsqlDataSource Database => Host.Services.GetRequiredService<LogDatabases>().Main.Reserved;

    public IDocumentStore Store => Host.Services.GetRequiredService<IDocumentStore>();

    public IntakeMemory Memory => Host.Services.GetRequiredService<IntakeMemory>();

    public WriteQueue Queue => Host.Services.GetRequiredService<WriteQueue>();

    public static Task<TestApi> StartAsync(string connectionString, params (string Key, string Value)[] settings) =>
        StartAsync(connectionString, _ => { }, settings);

    /// <param name="connectionString">The database.</param>
    /// <param name="add">Adds services to the host's own.</param>
    /// <param name="settings">Beyond those of every test.</param>
    public static async Task<TestApi> StartAsync(
        string connectionString, Action<IServiceCollection> add, params (string Key, string Value)[] settings)
    {
        var clock = new AdjustableClock();
        var host = await AlbaHost.For<Program>(builder =>
        {
            builder.UseSetting("ConnectionStrings:ErrorTracker", connectionString);
            builder.UseSetting("ErrorTracker:SingleNode", "true");
            builder.UseSetting("ErrorTracker:RegistrationsPerMinute", "0");
            foreach (var (key, value) in settings) builder.UseSetting(key, value);
            builder.ConfigureServices(services =>
            {
                services.AddSingleton<TimeProvider>(clock);
                add(services);
            });
        });
        return new TestApi(host, clock);
    }

    public async ValueTask DisposeAsync() => await Host.DisposeAsync();

    public async Task<Sender> RegisterAsync()
    {
        var answer = await SendAsync(HttpMethod.Post, "/apps/test-" + Guid.NewGuid().ToString("N"), expected: 201);
        return new(answer.GetProperty("id").GetInt32(), answer.GetProperty("ingest_key").GetString()!);
    }

    /// <summary>Sends one error as its application would and answers the receipt.</summary>
    public Task<JsonElement> ReportAsync(
        Sender sender, string level = "ERROR", string message = "boom", int expected = 201)
    {
        var body = JsonSerializer.Serialize(new { occurred_at = "2026-01-31T12:00:00Z", level, message });
        return PostEventAsync(sender, body, expected);
    }

    public async Task ReportAtAsync(
        Sender sender, DateTimeOffset receivedAt, string level = "ERROR", string message = "boom")
    {
        Clock.Now = receivedAt;
        await ReportAsync(sender, level, message);
    }

    public Task<JsonElement> PostEventAsync(Sender sender, string body, int expected) =>
        SendAsync(HttpMethod.Post, $"/apps/{sender.Id}/events", expected, body, (NativeIntake.KeyHeader, sender.Key));

    public Task<JsonElement> GetAsync(string url, int expected = 200) => SendAsync(HttpMethod.Get, url, expected);

    public async Task<T> GetAsync<T>(string url, int expected = 200) => Read<T>(await GetAsync(url, expected));

    public async Task<T> PostAsync<T>(string url, int expected = 201) =>
        Read<T>(await SendAsync(HttpMethod.Post, url, expected));

    /// <summary>An answer as the type that it is documented as.</summary>
    public static T Read<T>(JsonElement answer) => answer.Deserialize<T>(SnakeCase)!;

    public Task<JsonElement> SendAsync(
        HttpMethod method, string url, int expected, string? body = null,
        params (string Name, string Value)[] headers) =>
        SendAsync(method, url, expected, body is null ? null : System.Text.Encoding.UTF8.GetBytes(body), headers);

    public Task<JsonElement> SendAsync(
        HttpMethod method, string url, int expected, byte[]? body, params (string Name, string Value)[] headers) =>
        SendAsync(method, url, expected, body is null ? null : new MemoryStream(body), headers);

    public async Task<JsonElement> SendAsync(
        HttpMethod method, string url, int expected, Stream? body, params (string Name, string Value)[] headers)
    {
        var answer = await Host.Scenario(x =>
        {
            x.ConfigureHttpContext(http =>
            {
                http.Request.Method = method.Method;
                var split = url.Split('?', 2);
                http.Request.Path = Uri.UnescapeDataString(split[0]);
                http.Request.QueryString = new(split.Length > 1 ? "?" + split[1] : "");
                foreach (var (name, value) in headers) http.Request.Headers[name] = value;
                if (body is null) return;
                http.Request.ContentType ??= "application/json";
                http.Request.Body = body;
            });
            x.StatusCodeShouldBe(expected);
        });
        var text = await answer.ReadAsTextAsync();
        return text is ['{' or '[', ..] ? JsonDocument.Parse(text).RootElement : default;
    }

    /// <summary>Puts events on the write queue, as the endpoint does, and waits until they are committed.</summary>
    public async Task StoreAsync(IEnumerable<PendingEvent> events)
    {
        var settled = events.Select(pending =>
        {
            Assert.True(Queue.TryEnqueue(pending));
            return pending.Settled.Task;
        });
        Assert.DoesNotContain(await Task.WhenAll(settled.ToArray()), outcome => outcome.Fate == Fate.NotCommitted);
    }

    public static PendingEvent Event(
        Sender sender, DateTimeOffset receivedAt, string level = "ERROR", string message = "boom")
    {
        var error = new ErrorOccurred(receivedAt, level, message, null, null);
        return new(
            sender.Id, Guid.CreateVersion7(), false, receivedAt, error.ToStored(), EventKinds.ErrorOccurred);
    }

    /// <summary>Waits until the counters have folded all that the log holds.</summary>
    public Task FoldedAsync() => FoldedAsync(CountersProjection.Definition);

    public Task FoldedAsync(Projection projection) => Eventually.Async(async () => await ScalarAsync<long>(
        $"""
        select (select coalesce(max(seq_id), 0) from errortracker.mt_events)
             - coalesce((select last_seq_id from errortracker.mt_event_progression where name = '{projection.Row}'), 0)
        """) <= 0, $"{projection.Name} have folded the log");

    /// <summary>Minutes that are over have become part of the larger steps, as they soon do by themselves.</summary>
    public async Task ClosedAsync()
    {
        var counters = ProjectionShard.Of(CountersProjection.Definition);
        while (await counters.CloseAsync(Database, CancellationToken.None)) ;
    }

    /// <summary>Events that the counters hold, open minutes among them.</summary>
    public Task<long> CountedAsync() => ScalarAsync<long>(
        $"""
        select coalesce(sum(counted.count), 0)::bigint
        from (
          select count from {CounterTables.Current.Levels} where step = 'd'
          union all
          select count from {CounterTables.Current.OpenMinutes}) as counted
        """);

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }
}

/// <summary>The system's clock until a test sets another time.</summary>
public sealed class AdjustableClock : TimeProvider
{
    public DateTimeOffset? Now { get; set; }

    /// <summary>So much more than has passed seems to have.</summary>
    public TimeSpan Skipped { get; set; }

    public override DateTimeOffset GetUtcNow() => Now ?? base.GetUtcNow();

    public override long GetTimestamp() => base.GetTimestamp() + (long)(Skipped.TotalSeconds * TimestampFrequency);
}

public static class Eventually
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30), Pause = TimeSpan.FromMilliseconds(20);

    public static async Task Async(Func<Task<bool>> condition, string what)
    {
        var deadline = DateTime.UtcNow + Limit;
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, $"After {Limit} it is still not so that {what}.");
            await Task.Delay(Pause);
        }
    }
}
