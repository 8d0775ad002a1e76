using System.Globalization;
using System.Net;
using System.Text;
using ErrorTracker.Intake;
using ErrorTracker.Tests.Hosting;
using Xunit.Abstractions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Senders that send too much, too slowly, or never to the end: they cost the host a bounded amount, and the others
/// nothing.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class OverloadTests(AbusedHost abused, ITestOutputHelper output) : IClassFixture<AbusedHost>
{
    private const long Mebibyte = 1024 * 1024;

    /// <summary>So many bytes of a request hold its head, and not all of a large body.</summary>
    private const int WholeHead = 400;

    /// <summary><c>ABUSE_CONNECTIONS</c> sets how many connections do nothing.</summary>
    private static readonly int Idle = int.TryParse(
        Environment.GetEnvironmentVariable("ABUSE_CONNECTIONS"), CultureInfo.InvariantCulture, out var count)
        ? count
        : 2_000;

    private HostProcess Host => abused.Host;

    [Fact]
    public async Task connections_that_do_nothing_cost_little_and_nobody_else_anything()
    {
        var sender = await Host.RegisterAsync();
        await SendOrderlyAsync(sender, "before", 20);
        var before = Host.Resident;
        var whole = AbusedHost.Http(sender, AbusedHost.Event("never whole"));
        var connections = new List<RawConnection>();
        try
        {
            for (var i = 0; i < Idle; i++)
            {
                connections.Add(await RawConnection.OpenAsync(Host.Http.BaseAddress!));
                if (i % 4 > 0) await connections[i].SendAsync(whole.AsMemory(0, i % 4 == 1 ? 40 : whole.Length - 10));
                if (i % 4 == 3) connections[i].HalfClose();
            }
            await SendOrderlyAsync(sender, "meanwhile", 50);
            output.WriteLine($"{Idle} connections: {(Host.Resident - before) / Mebibyte} MiB more");
            Assert.InRange(Host.Resident - before, long.MinValue, 64 * Mebibyte + Idle * 32 * 1024L);

            foreach (var unfinished in new[] { 2, 3 }) await AssertRefusedAsync(connections[unfinished]);
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
        Assert.Equal(70, (await abused.MessagesAsync(sender)).Count);
    }

    /// <summary>A byte a time, often enough that no silence ends it: of its head, and of its body.</summary>
    [Fact]
    public async Task who_trickles_is_cut_off()
    {
        var sender = await Host.RegisterAsync();
        await Task.WhenAll(new[] { 0, WholeHead }.Select(async atOnce =>
        {
            using var connection = await RawConnection.OpenAsync(Host.Http.BaseAddress!);
            var trickle = connection.TrickleAsync(AbusedHost.Http(sender, AbusedHost.Event("trickled", size: 100_000)), atOnce);
            await AssertRefusedAsync(connection);
            await trickle;
        }));
        await SendOrderlyAsync(sender, "after", 1);
        Assert.Equal(["after 0"], await abused.MessagesAsync(sender));
    }

    /// <summary>The web server takes half an end for the end of its client, and may not answer.</summary>
    [Fact]
    public async Task who_closes_its_half_is_stored_once_at_most_and_always_if_answered()
    {
        var (sender, answered) = (await Host.RegisterAsync(), new List<string>());
        await Task.WhenAll(Enumerable.Range(0, 200).Select(async i =>
        {
            using var connection = await RawConnection.OpenAsync(Host.Http.BaseAddress!);
            await connection.SendAsync(AbusedHost.Http(sender, AbusedHost.Event($"half {i}")));
            connection.HalfClose();
            if (await connection.ReadAsync() is not { } answer) return;
            Assert.Equal(201, answer.Status);
            lock (answered) answered.Add($"half {i}");
        }));
        await SendOrderlyAsync(sender, "after", 1);
        var stored = await abused.MessagesAsync(sender);
        Assert.Empty(answered.Except(stored));
        Assert.Equal(stored.Count, stored.Distinct().Count());
    }

    [Fact]
    public async Task a_flood_of_one_application_costs_another_nothing_and_is_answered_honestly()
    {
        const int batches = 20, events = 2_000;
        var (flooder, other) = (await Host.RegisterAsync(), await Host.RegisterAsync());
        var (accepted, refused) = (0, 0);
        var flood = Task.WhenAll(Enumerable.Range(0, batches).Select(async batch =>
        {
            var lines = string.Join(
                '\n',
                Enumerable.Range(0, events).Select(
                    i => Encoding.UTF8.GetString(AbusedHost.Event($"flood {batch} {i}"))));
            using var request = AbusedHost.Post(flooder, "events/batch", Encoding.UTF8.GetBytes(lines), MediaType.Lines);
            using var answer = await Host.Http.SendAsync(request);
            if (answer.StatusCode != HttpStatusCode.OK)
            {
                AssertTryLater(answer);
                Interlocked.Add(ref refused, events);
                return;
            }
            var receipt = PlainJson.Parse(await answer.Content.ReadAsStringAsync(), 10)!;
            Interlocked.Add(ref accepted, int.Parse(receipt["accepted"]!.Text, CultureInfo.InvariantCulture));
            Interlocked.Add(ref refused, receipt["rejected"]!.Members.Count);
        }));
        await SendOrderlyAsync(other, "orderly", 100);
        await flood;

        output.WriteLine($"{accepted} of the flood were accepted, {refused} refused");
        Assert.Equal(batches * events, accepted + refused);
        Assert.Equal(accepted, (await abused.MessagesAsync(flooder)).Distinct().Count());
        Assert.Equal(accepted, (await abused.MessagesAsync(flooder)).Count);
        Assert.Equal(100, (await abused.MessagesAsync(other)).Count);
    }

    [Fact]
    public async Task while_postgresql_is_paused_memory_stays_bounded_and_each_201_is_kept()
    {
        const int requests = 400;
        var senders = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Host.RegisterAsync()));
        var (kept, later, most) = (new List<(Sender Sender, string Message)>(), 0, 0L);
        foreach (var sender in senders) await SendOrderlyAsync(sender, "before", 1);
        var before = Host.Resident;
        var load = Task.CompletedTask;

        await abused.WhilePausedAsync(async () =>
        {
            load = Task.WhenAll(Enumerable.Range(0, requests).Select(async i =>
            {
                var (sender, message) = (senders[i % senders.Length], $"large {i}");
                using var request = AbusedHost.Post(sender, "events", AbusedHost.Event(message, size: 1_000_000));
                using var answer = await Host.Http.SendAsync(request);
                if (answer.StatusCode != HttpStatusCode.Created) AssertTryLater(answer);
                lock (kept)
                    if (answer.StatusCode == HttpStatusCode.Created) kept.Add((sender, message));
                    else later++;
            }));
            await Eventually.Async(() =>
            {
                most = Math.Max(most, Host.Resident);
                return Task.FromResult(Volatile.Read(ref later) > requests / 2 || load.IsCompleted);
            }, "most are refused");
        });
        await load;

        output.WriteLine($"{requests} × 1 MB while paused: {kept.Count} kept, {later} refused, {(most - before) / Mebibyte} MiB more");
        Assert.InRange(most - before, long.MinValue, 400 * Mebibyte);
        foreach (var sender in senders)
            Assert.Equal(
                kept.Where(k => k.Sender == sender).Select(k => k.Message).Append("before 0").Order(),
                (await abused.MessagesAsync(sender)).Order());
    }

    [Fact]
    public async Task a_host_that_is_told_to_stop_waits_for_no_trickle_and_keeps_each_201()
    {
        var sender = await Host.RegisterAsync();
        using var connection = await RawConnection.OpenAsync(Host.Http.BaseAddress!);
        var trickle = connection.TrickleAsync(AbusedHost.Http(sender, AbusedHost.Event("trickled", size: 100_000)), WholeHead);
        Task<int>? end = null;
        var (_, acknowledged) = await Host.LoadAsync(sender, connections: 8, acknowledged: count =>
        {
            if (count >= 200) LazyInitializer.EnsureInitialized(ref end, () => Host.EndAsync(HostProcess.Terminate));
        });
        Assert.Equal(0, await end!.WaitAsync(TimeSpan.FromSeconds(15)));
        await trickle;
        await abused.RestartAsync();
        Assert.Equal(acknowledged.Order(), (await abused.MessagesAsync(sender)).Order());
    }

    private async Task SendOrderlyAsync(Sender sender, string message, int times)
    {
        for (var i = 0; i < times; i++)
        {
            using var request = AbusedHost.Post(sender, "events", AbusedHost.Event($"{message} {i}"));
            using var answer = await Host.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        }
    }

    /// <summary>In the statuses of a sender's fault or without any, but soon.</summary>
    private static async Task AssertRefusedAsync(RawConnection connection)
    {
        if (await connection.ReadAsync() is { } answer) Assert.InRange(answer.Status, 400, 499);
    }

    private static void AssertTryLater(HttpResponseMessage answer)
    {
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.NotNull(answer.Headers.RetryAfter);
    }
}
