using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using FsCheck.Fluent;

namespace ErrorTracker.Tests.Commit;

[Collection(nameof(OnPostgres))]
public sealed class RetryTests(SharedApi shared)
{
    private readonly TestApi _api = shared.Api;

    [Fact]
    public async Task the_same_content_is_answered_as_at_first_and_other_content_is_a_409()
    {
        var (sender, id) = (await _api.RegisterAsync(), Guid.NewGuid());
        var first = await _api.PostEventAsync(sender, Event(id, "once", "warn"), 201);
        var again = await _api.PostEventAsync(sender, Event(id, "once", "WARNING"), 200);
        Assert.Equal(first.GetRawText(), again.GetRawText());
        await _api.PostEventAsync(sender, Event(id, "twice"), 409);
        await CountedAsync(sender, 1);
    }

    [Fact]
    public async Task two_applications_with_the_same_id_never_meet()
    {
        var (mine, other, id) = (await _api.RegisterAsync(), await _api.RegisterAsync(), Guid.NewGuid());
        var first = await _api.PostEventAsync(mine, Event(id, "mine"), 201);
        var second = await _api.PostEventAsync(other, Event(id, "other"), 201);
        Assert.NotEqual(first.GetProperty("id").GetGuid(), second.GetProperty("id").GetGuid());
        await _api.GetAsync($"/apps/{other.Id}/events/{first.GetProperty("id").GetString()}", 404);
    }

    [Fact]
    public async Task an_id_counts_once_after_a_restart_too()
    {
        var (connectionString, id) = (await shared.Server.NewDatabaseAsync(), Guid.NewGuid());
        Sender sender;
        await using (var api = await TestApi.StartAsync(connectionString))
        {
            sender = await api.RegisterAsync();
            await api.PostEventAsync(sender, Event(id, "m"), 201);
        }
        await using var restarted = await TestApi.StartAsync(connectionString);
        await restarted.PostEventAsync(sender, Event(id, "m"), 200);
    }

    [Theory]
    [InlineData("7")]
    [InlineData("\"no\"")]
    [InlineData("\"{7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10}\"")]
    public async Task what_is_no_uuid_is_named(string id)
    {
        var sent = Event(Guid.Empty, "m").Replace($"\"{Guid.Empty}\"", id);
        var refusal = await _api.PostEventAsync(await _api.RegisterAsync(), sent, 400);
        Assert.Equal("event_id", Assert.Single(refusal.GetProperty("errors").EnumerateObject()).Name);
    }

    [Fact]
    public async Task inside_one_batch_the_first_counts()
    {
        var (sender, id) = (await _api.RegisterAsync(), Guid.NewGuid());
        var answer = await BatchAsync(sender, [Event(id, "a"), Event(id, "a"), Event(id, "b")]);
        Assert.Equal((1, 1), Kept(answer));
        Assert.Equal(2, answer.GetProperty("rejected")[0].GetProperty("index").GetInt32());
        Assert.True(answer.GetProperty("rejected")[0].GetProperty("errors").TryGetProperty("event_id", out _));
    }

    /// <summary>A trip to the database for each would keep the lane, and all who wait for it, for seconds.</summary>
    [Theory]
    [InlineData("a", 999, 0)]
    [InlineData("{0}", 0, 999)]
    public async Task an_id_that_a_batch_repeats_is_looked_for_once_for_many(
        string message, int duplicates, int conflicts)
    {
        var (sender, id) = (await _api.RegisterAsync(), Guid.NewGuid());
        using var statements = new StatementCount();
        var messages = Enumerable.Range(0, 1_000).Select(i => string.Format(CultureInfo.InvariantCulture, message, i));
        var events = messages.Select(text => Event(id, text));
        var answer = await BatchAsync(sender, events);
        Assert.Equal((1, duplicates), Kept(answer));
        Assert.Equal(conflicts, answer.GetProperty("rejected").GetArrayLength());
        Assert.InRange(statements.Count, 1, 300);
    }

    /// <summary>
    /// Batches and single events with few ids and contents, sent at once: each id is stored once, and what each sender
    /// was told is true of what is stored.
    /// </summary>
    [Fact]
    public async Task however_events_repeat_at_once_each_id_is_stored_once()
    {
        var messages = Gen.Frequency((8, Gen.Constant("same")), (1, Gen.Constant("other")));
        var generator = Gen.Choose(0, 5).SelectMany(id => messages.Select(message => (Id: id, Message: message)));
        foreach (var seed in Enumerable.Range(1, 20))
        {
            var sender = await _api.RegisterAsync();
            var ids = Enumerable.Range(0, 6).Select(_ => Guid.NewGuid()).ToArray();
            var sent = Enumerable.Range(0, 8).Select(i => generator.Sample(1 + (seed + i) % 7).ToArray()).ToArray();
            var stored = new ConcurrentBag<(int Id, string Message)>();
            await Task.WhenAll(sent.Select(batch => Task.Run(async () =>
            {
                var answer = await BatchAsync(sender, batch.Select(e => Event(ids[e.Id], e.Message)));
                var rejected = answer.GetProperty("rejected").EnumerateArray()
                    .Select(r => r.GetProperty("index").GetInt32()).ToHashSet();
                var (accepted, duplicates) = Kept(answer);
                Assert.Equal(batch.Length, accepted + duplicates + rejected.Count);
                foreach (var e in batch.Where((_, index) => !rejected.Contains(index))) stored.Add(e);
            })));
            var storedIds = stored.Select(e => e.Id).Distinct().Count();
            Assert.Equal(stored.Distinct().Count(), storedIds);
            Assert.Equal(sent.SelectMany(batch => batch).Select(e => e.Id).Distinct().Count(), storedIds);
            await CountedAsync(sender, storedIds);
        }
    }

    private async Task CountedAsync(Sender sender, int events)
    {
        var stored = $"select count(*) from errortracker.mt_events where tenant_id = '{sender.Id}'";
        Assert.Equal(events, await _api.ScalarAsync<long>(stored));
        var counted = await _api.GetAsync($"/apps/{sender.Id}/stats/by-level?since=2020-01-01&until=2100-01-01");
        var levels = counted.GetProperty("items").EnumerateArray();
        Assert.Equal(events, levels.Sum(level => level.GetProperty("count").GetInt64()));
    }

    private static (int Accepted, int Duplicates) Kept(JsonElement receipt) =>
        (receipt.GetProperty("accepted").GetInt32(), receipt.GetProperty("duplicates").GetInt32());

    private static string Event(Guid id, string message, string level = "ERROR") =>
        $$"""
        {"event_id":"{{id}}","occurred_at":"2026-01-31T12:00:00Z","level":"{{level}}","message":"{{message}}",
        "stack":{"n":1.0} }
        """;

    /// <summary>Of a batch whose ids are all taken nothing is kept: that is a 400.</summary>
    private async Task<JsonElement> BatchAsync(Sender sender, IEnumerable<string> events)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events/batch")
        {
            Content = new StringContent($"[{string.Join(',', events)}]", null, MediaType.Json),
            Headers = { { NativeIntake.KeyHeader, sender.Key } },
        };
        using var answer = await _api.Host.Server.CreateClient().SendAsync(request);
        var receipt = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        var (accepted, duplicates) = Kept(receipt);
        Assert.Equal(accepted + duplicates > 0 ? 200 : 400, (int)answer.StatusCode);
        return receipt;
    }
}

/// <summary>Statements that this process sends to PostgreSQL, by whichever test.</summary>
internal sealed class StatementCount : IDisposable
{
    private readonly ActivityListener _listener;
    private int _count;

    public StatementCount()
    {
        _listener = new()
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            Sample = (ref _) => ActivitySamplingResult.AllData,
            ActivityStarted = _ => Interlocked.Increment(ref _count),
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public int Count => Volatile.Read(ref _count);

    public void Dispose() => _listener.Dispose();
}
