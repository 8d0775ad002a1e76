using System.Text;
using ErrorTracker.Commit;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Issues;

/// <summary>What is stored beside an event when it comes into the log.</summary>
internal enum StoredFacts
{
    /// <summary>Those of the serving rules.</summary>
    Right,

    /// <summary>None, as former versions did.</summary>
    None,

    /// <summary>Those of other rules: the key of another group, and no release.</summary>
    OfOtherRules,
}

/// <summary>Errors of all kinds that lists of issues tell apart, by a seed.</summary>
/// <param name="seed">The same errors for the same seed.</param>
/// <param name="stored">What is stored beside them; null: each by chance.</param>
internal sealed class RandomErrors(int seed, StoredFacts? stored = null)
{
    private static readonly string[] Levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
    private static readonly string[] Releases = ["", "1.0", "1.1", "2.0-rc.1"];
    private static readonly string[] Environments = ["", "production", "staging"];

    private static readonly string[] Words =
    [
        "paper jam", "out of ink", "door open", "tray empty", "fuse blown", "belt worn", "fan stuck", "lamp dim",
        "gear slips", "roll torn", "drum dry", "cable cut",
    ];

    private readonly Random _random = new(seed);

    /// <summary>Three days; hours, minutes and microseconds, so that the edges of buckets are hit.</summary>
    public static readonly DateTimeOffset Start = new(2026, 3, 10, 0, 0, 0, TimeSpan.Zero);

    public const int Days = 3;

    public T OneOf<T>(params T[] values) => values[_random.Next(values.Length)];

    public int Next(int below) => _random.Next(below);

    public string Level() => OneOf(Levels);

    public string Release() => OneOf(Releases);

    public string Environment() => OneOf(Environments);

    public string Word() => OneOf(Words).Split(' ')[0];

    /// <param name="kinds">Of so many kinds at most.</param>
    public string Message(int kinds = 12) =>
        Words[_random.Next(Math.Min(kinds, Words.Length))] + OneOf("", " after 17 pages", " after 18 pages");

    public DateTimeOffset Instant()
    {
        var grain = OneOf(
            TimeSpan.TicksPerHour, TimeSpan.TicksPerMinute, TimeSpan.TicksPerSecond, TimeSpan.TicksPerMicrosecond);
        return new(Start.Ticks + _random.NextInt64(Days * TimeSpan.TicksPerDay) / grain * grain, TimeSpan.Zero);
    }

    /// <param name="sender">Whose they are.</param>
    /// <param name="count">How many.</param>
    /// <param name="kinds">The more, the more issues.</param>
    public List<PendingEvent> Take(Sender sender, int count, int kinds = 12) =>
        [.. Enumerable.Range(0, count).Select(_ => Next(sender, kinds))];

    private PendingEvent Next(Sender sender, int kinds)
    {
        var message = Message(kinds);
        var facts = stored ?? OneOf(Enum.GetValues<StoredFacts>());
        return Event(sender, Instant(), Level(), message, Release(), Environment(), facts);
    }

    public static PendingEvent Event(
        Sender sender, DateTimeOffset at, string level, string message, string release = "", string environment = "",
        StoredFacts stored = StoredFacts.Right)
    {
        var tags = release.Length == 0 ? null : Json($$"""{"release": "{{release}}"}""");
        var context = environment.Length == 0 ? null : Json($$"""{"environment": "{{environment}}"}""");
        var error = new ErrorOccurred(at, level, message, null, tags, context);
        return new(sender.Id, Guid.CreateVersion7(), false, at, error.ToStored(), EventKinds.ErrorOccurred)
        {
            Headers = HeadersOf(error, stored),
        };
    }

    private static byte[]? HeadersOf(ErrorOccurred error, StoredFacts stored) => stored switch
    {
        StoredFacts.Right => EventFacts.Of(error, GroupingRules.None).ToHeaders(RuleSet.BuiltIn),
        StoredFacts.None => null,
        _ => (EventFacts.Of(error with { Message = "belt worn" }, GroupingRules.None) with { Release = "" })
            .ToHeaders(new(7, GroupingRules.None)),
    };

    private static RawJson Json(string text) => new(Encoding.UTF8.GetBytes(text));
}

/// <summary>An event as the log has it.</summary>
internal sealed record LoggedEvent(
    long Sequence, Guid Id, DateTimeOffset At, string Level, string Message, string Release, string Environment,
    string Key, GroupText Text)
{
    /// <summary>The whole log of an application, read by nothing of the product's SQL.</summary>
    public static async Task<List<LoggedEvent>> ReadAsync(TestApi api, Sender sender)
    {
        await using var command = api.Database.CreateCommand(
            """
            select seq_id, id, timestamp, data::text from errortracker.mt_events
            where tenant_id = $1 and type = 'error_occurred' order by seq_id
            """);
        command.Parameters.AddWithValue($"{sender.Id}");
        await using var row = await command.ExecuteReaderAsync();
        var events = new List<LoggedEvent>();
        while (await row.ReadAsync())
        {
            var stored = row.GetFieldValue<byte[]>(3);
            var facts = EventFacts.OfStored(stored, GroupingRules.None);
            var error = System.Text.Json.JsonDocument.Parse(stored).RootElement;
            events.Add(new(
                row.GetInt64(0), row.GetGuid(1), row.GetFieldValue<DateTimeOffset>(2),
                error.GetProperty("level").GetString()!, error.GetProperty("message").GetString()!,
                facts.Release, facts.Environment, facts.Key, GroupText.Of(stored, GroupingRules.None)));
        }
        return events;
    }
}
