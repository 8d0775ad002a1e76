using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using ErrorTracker.Grouping;
using ErrorTracker.Tests.Hosting;
using Xunit.Abstractions;

namespace ErrorTracker.Tests.Abuse;

/// <summary>
/// Hostile input over a real socket, judged by an oracle of its own. <c>FUZZ_INPUTS</c> sets how many (100,000 for the
/// long form), <c>FUZZ_SEED</c> which, and <c>FUZZ_FIRST</c> where to start: a failure names its seed and number, which
/// make the same input again.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class FuzzTests(SharedApi shared, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Senders = 8, MostFaultsShown = 20;

    private static readonly int Inputs = Setting("FUZZ_INPUTS", 4_000), Seed = Setting("FUZZ_SEED", 1), First = Setting("FUZZ_FIRST", 0);

    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentDictionary<(string Kind, int Status), int> _answers = new();
    private readonly ConcurrentDictionary<string, bool> _ids = new();
    private HostProcess _host = null!;
    private Sender _sdk = null!;
    private int _registered;

    public async Task InitializeAsync()
    {
        _host = await HostProcess.StartAsync(
            ("ConnectionStrings__ErrorTracker", await shared.Server.NewDatabaseAsync()), ("ErrorTracker__SingleNode", "true"));
        await ReadyAsync();
    }

    private Task ReadyAsync() => Eventually.Async(
        async () => (await _host.Http.GetAsync("/health/ready")).IsSuccessStatusCode, "the host is ready");

    public async Task DisposeAsync() => await _host.DisposeAsync();

    [Fact]
    public async Task no_input_breaks_the_host_and_exactly_what_is_valid_is_stored()
    {
        var ledgers = new List<Ledger>();
        for (var i = 0; i < Senders; i++) ledgers.Add(new(await _host.RegisterAsync()));
        _sdk = await _host.RegisterAsync();
        _registered = Senders + 1;

        await Task.WhenAll(ledgers.Select((ledger, sender) => Task.Run(() => SendAllAsync(ledger, sender))));
        foreach (var (answer, count) in _answers.OrderBy(answer => answer.Key))
            output.WriteLine($"{count,7} × {answer.Status} {answer.Kind}");

        foreach (var ledger in ledgers) await CompareAsync(ledger);
        await CompareSdkAsync();
        var applications = PlainJson.Parse(await _host.Http.GetStringAsync("/apps"), 10)!.Members.Select(
            member => int.Parse(member.Value["id"]!.Text, CultureInfo.InvariantCulture));
        if (!applications.SequenceEqual(Enumerable.Range(1, _registered)))
            Note($"{_registered} applications were registered, but there are {string.Join(' ', applications)}.");
        await ReadyAsync();
        foreach (var line in _host.Output.Split('\n').Where(line => Leak(ledgers).IsMatch(line))) Note("The log says: " + line);

        Assert.True(_faults.IsEmpty, $"{_faults.Count} faults:\n\n{string.Join("\n\n", _faults.Take(MostFaultsShown))}");
    }

    /// <summary>A key, what was sent, a stack trace, or an error of the host's.</summary>
    private static Regex Leak(List<Ledger> ledgers) =>
        new(
            string.Join(
                '|',
                ledgers.Select(ledger => ledger.Sender.Key).Concat(
                    ["sent [0-9]+\\.", "fuzz-", "^ +at ", "Exception", "^[^ ]+ (fail|crit): "])));

    private async Task SendAllAsync(Ledger ledger, int sender)
    {
        RawConnection? open = null;
        for (var number = First + (sender - First % Senders + Senders) % Senders; number < First + Inputs; number += Senders)
        {
            var input = Create(number, ledger.Sender);
            if (input.IsBrokenHttp || input.Ending != Ending.Listen)
            {
                open?.Dispose();
                open = null;
            }
            try
            {
                Group(input, number);
                open ??= await RawConnection.OpenAsync(_host.Http.BaseAddress!);
                var answer = await open.ExchangeAsync(input.Request, input.Ending, input.IsHead);
                if (FaultOf(input, answer, ledger) is { } fault)
                    Note($"Seed {Seed}, input {number}: {fault}, but the answer was {Shown(answer)}\n{input}");
                if (answer is { Closes: false } && input.Ending == Ending.Listen) continue;
            }
            catch (Exception e)
            {
                Note($"Seed {Seed}, input {number}: {e.Message}\n{input}");
            }
            open?.Dispose();
            open = null;
        }
        open?.Dispose();
    }

    /// <summary>Whatever a request holds has one key, be it an event or not.</summary>
    private void Group(Input input, int number)
    {
        var body = input.Request.AsMemory(input.Request.AsSpan().IndexOf("\r\n\r\n"u8) + 1);
        var key = GroupKey.OfStored(body, GroupingRules.None);
        if (key.Length != 22 || key != GroupKey.ExplainStored(body, GroupingRules.None).Key)
            Note($"Seed {Seed}, input {number} has the group key {key}, which is explained in another way\n{input}");
    }

    private Input Create(int number, Sender sender)
    {
        var random = new Random(unchecked(Seed * 1_000_003 + number));
        return random.Next(23) switch
        {
            < 8 => new HostileBodies(random, number, sender).Event(),
            < 13 => new HostileBodies(random, number, sender).Batch(),
            < 16 => new HostileTargets(random, number, sender).Read(),
            16 => random.Next(4) == 0
                ? new HostileTargets(random, number, sender).Register()
                : new HostileTargets(random, number, sender).Read(),
            17 or 18 => new HostileTargets(random, number, sender).Stray(),
            19 => new HostileFraming(random, number, sender).Next(),
            _ => new HostileEnvelopes(random, number, _sdk).Next(),
        };
    }

    /// <summary>
    /// The web server itself refuses what is no HTTP, in the statuses that say so, before there is anyone to explain
    /// it.
    /// </summary>
    private string? FaultOf(Input input, Answer? answer, Ledger ledger)
    {
        _answers.AddOrUpdate((input.Kind, answer?.Status ?? 0), 1, (_, count) => count + 1);
        if (answer is null && !input.IsBrokenHttp && input.Ending == Ending.Listen) return "an answer was expected";
        if (answer?.Json?["ingest_key"] is not null) Interlocked.Increment(ref _registered);
        if (answer is { Status: >= 500 } && !(input.IsBrokenHttp && answer is { Status: 505, Body: [] }))
            return "nothing of the server's fault was expected";
        if (input.Kind == "envelope" && answer is { Status: 200 } && HostileEnvelopes.IdOf(answer) is { } id) _ids[id] = true;
        if (input.Kind != "envelope" && answer is { Status: 400 } && !(answer.IsProblem && answer.Faults.Length > 0)
            && !(input.IsBrokenHttp && answer.Body is []))
            return "a 400 that names its field was expected";
        return input.Fault(answer, ledger);
    }

    /// <summary>
    /// What the application finds stored is what it must find: each event once, with equal content, and none else; and
    /// so it is counted.
    /// </summary>
    private async Task CompareAsync(Ledger ledger)
    {
        var stored = new List<string>();
        for (var offset = "0"; offset != "null";)
        {
            var page = PlainJson.Parse(await _host.Http.GetStringAsync($"/apps/{ledger.Sender.Id}/events?limit=50&offset={offset}"), 200)!;
            stored.AddRange(page["items"]!.Members.Select(item => EventOracle.ContentOf(item.Value)));
            offset = page["next_offset"]!.Text;
        }
        var left = stored.GroupBy(content => content).ToDictionary(group => group.Key, group => group.Count());
        bool Take(string content) => left.GetValueOrDefault(content) is var count and > 0 && (left[content] = count - 1) >= 0;
        foreach (var (content, input) in ledger.Stored.Where(must => !Take(must.Content)))
            Note(
                $"Seed {Seed}, input {input} is not stored as it was sent: {Input.Shown(Encoding.UTF8.GetBytes(content))}");
        foreach (var (content, _) in ledger.Uncertain) Take(content);
        foreach (var (content, count) in left.Where(rest => rest.Value > 0))
            Note($"Stored though not accepted, {count} ×: {Input.Shown(Encoding.UTF8.GetBytes(content))}");

        var window = $"since=2020-01-01&until={DateTime.UtcNow.AddDays(1):yyyy-MM-dd}";
        foreach (var (statistic, list) in new[] { ("by-level?", "items"), ("timeseries?interval=DAY&", "series") })
        {
            var counts = PlainJson.Parse(
                await _host.Http.GetStringAsync($"/apps/{ledger.Sender.Id}/stats/{statistic}{window}"), 10)![list]!;
            var counted = counts.Members.Sum(member => int.Parse(member.Value["count"]!.Text, CultureInfo.InvariantCulture));
            if (counted != stored.Count) Note($"{stored.Count} events are stored, but {statistic} counts {counted}.");
        }
    }

    /// <summary>What SDKs sent is stored once for each id that was answered.</summary>
    private async Task CompareSdkAsync()
    {
        var loss = PlainJson.Parse(
            await _host.Http.GetStringAsync($"/apps/{_sdk.Id}/loss?since=2020-01-01&until={DateTime.UtcNow.AddDays(1):yyyy-MM-dd}"),
            10)!;
        if (loss["accepted"]!.Text != $"{_ids.Count}")
            Note($"{_ids.Count} ids were answered, but {loss["accepted"]!.Text} events of SDKs are stored.");
    }

    private void Note(string fault) => _faults.Enqueue(fault);

    private static string Shown(Answer? answer) => answer is null ? "none" : $"{answer.Status} {Input.Shown(answer.Body)}";

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(name), CultureInfo.InvariantCulture, out var value)
            ? value
            : otherwise;
}
