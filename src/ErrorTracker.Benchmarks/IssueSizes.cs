using System.Text;
using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// How many bytes of counters does an event take: of a few issues, and where each event has a message of its own?
/// </summary>
internal static class IssueSizes
{
    private const int DifferentMessages = 100_000, WordsOfMessage = 6;

    private static readonly string[] Syllables =
        ["ba", "ce", "di", "fo", "gu", "ka", "le", "mi", "no", "pu", "ra", "se", "ti", "vo", "zu", "sha"];

    /// <summary>100,000 messages that are all different: by their words, and by a number in them.</summary>
    public static async Task MeasureDifferentMessagesAsync(Report report)
    {
        await MeasureAsync("that share no words", Words, report);
        await MeasureAsync("that differ by a number", number => $"Order {number} could not be paid", report);
    }

    private static async Task MeasureAsync(string what, Func<int, string> message, Report report)
    {
        await using var host = await Host.StartAsync();
        var sender = await host.RegisterAsync("bench");
        var start = DateTimeOffset.UtcNow.AddDays(-IssueErrors.Days);
        var between = TimeSpan.FromDays(IssueErrors.Days) / DifferentMessages;
        await FilledLog.WriteAsync(host, sender, DifferentMessages, (first, count) =>
            Enumerable.Range(first, count).Select(number => ErrorOf(message(number), start + between * number)));
        await host.ClosedAsync();
        await ReportAsync(host, DifferentMessages, $"{DifferentMessages:N0} messages {what}", report);
    }

    /// <summary>A row for each table of counters, the index of keys and the log itself.</summary>
    public static async Task ReportAsync(Host host, int events, string what, Report report)
    {
        var log = await BytesAsync(host, "mt_events");
        var counters = 0L;
        List<string> parts = [];
        foreach (var table in CounterTables.Current.All)
        {
            var bytes = await BytesAsync(host, table.Split('.')[^1]);
            counters += bytes;
            if (bytes >= events / 2) parts.Add($"{table.Split('.')[^1]} {(double)bytes / events:N0}");
        }
        var index = await BytesAsync(host, "mt_events_by_key");
        report.Add(
            $"bytes of counters an event, {what}",
            $"{(double)counters / events:N0}: {string.Join(", ", parts)}",
            $"the log {(double)log / events:N0}, with its index of keys {(double)index / events:N0}: "
            + $"{(double)counters / log:0.00}×");
    }

    private static Task<long> BytesAsync(Host host, string table) =>
        host.ScalarAsync<long>($"select pg_total_relation_size('{LogSchema.Name}.{table}')");

    private static LoggedError ErrorOf(string message, DateTimeOffset at)
    {
        at = at.AddTicks(-(at.Ticks % TimeSpan.TicksPerMicrosecond));
        var error = new ErrorOccurred(at, "ERROR", message, Stack: null, Tags: null);
        return new(
            at, error.ToStored(), EventFacts.Of(error, GroupingRules.None).ToHeaders(RuleSet.BuiltIn));
    }

    private static string Words(int number)
    {
        var random = new Random(number);
        var text = new StringBuilder();
        for (var word = 0; word < WordsOfMessage; word++)
        {
            if (word > 0) text.Append(' ');
            for (var syllable = 0; syllable < 3; syllable++) text.Append(Syllables[random.Next(Syllables.Length)]);
        }
        return text.ToString();
    }
}
