using System.Text;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// Errors of 20,000 issues over thirty days. How often an issue happens falls with its rank (Zipf), each happens at
/// least once, and new ones come until the end. A release comes every third day. The same numbers make the same errors.
/// </summary>
internal sealed class IssueErrors
{
    public const int Issues = 20_000, Days = 30;

    private const int DaysBetweenReleases = 3, FewestFrames = 6, MostFrames = 16;
    private const double ZipfExponent = 1.1, StagingShare = 0.1;

    private static readonly string[]
        Levels = ["ERROR", "ERROR", "WARNING", "ERROR", "INFO", "CRITICAL", "WARNING", "DEBUG"],
        Kinds = ["Timeout", "NullReference", "Validation", "Connection", "Concurrency", "Serialization", "NotFound"],
        Nouns = ["order", "payment", "invoice", "session", "cart", "shipment", "report", "webhook", "token", "cache"];

    private readonly Kind[] _kinds = [.. Enumerable.Range(0, Issues).Select(KindOf)];
    private readonly double[] _zipf = new double[Issues];
    private readonly int _events;
    private readonly DateTimeOffset _start;

    /// <param name="events">How many there are in all: at least one of each issue.</param>
    /// <param name="start">When they begin.</param>
    public IssueErrors(int events, DateTimeOffset start)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(events, Issues);
        if (_kinds.DistinctBy(kind => kind.Key).Count() != Issues)
            throw new InvalidOperationException("Some issues have the same key.");
        (_events, _start) = (events, start);
        var sum = 0.0;
        for (var rank = 1; rank <= Issues; rank++) _zipf[rank - 1] = sum += Math.Pow(rank, -ZipfExponent);
    }

    /// <summary>Some errors, in the order of their times.</summary>
    public IEnumerable<LoggedError> Take(int first, int count)
    {
        var random = new Random(first);
        var between = _events / Issues;
        for (var number = first; number < first + count; number++)
        {
            var isTurn = number % between == 0 && number / between < Issues;
            var rank = isTurn ? number / between : Pick(random.NextDouble() * _zipf[^1]);
            var microseconds = (long)(TimeSpan.FromDays(Days).TotalMicroseconds * number / _events);
            yield return Write(_kinds[rank], microseconds, random);
        }
    }

    private LoggedError Write(Kind kind, long microseconds, Random random)
    {
        var release = $"2.{microseconds / (long)TimeSpan.FromDays(DaysBetweenReleases).TotalMicroseconds}.0";
        var environment = random.NextDouble() < StagingShare ? "staging" : "production";
        var tags =
            $$"""
            {"release":"{{release}}","environment":"{{environment}}","host":"node-{{random.Next(40):00}}",
            "user":"{{random.Next(100_000)}}"}
            """;
        var at = _start.AddMicroseconds(microseconds);
        var error = new ErrorOccurred(at, kind.Level, kind.Message, kind.Stack, Json(tags));
        var facts = new EventFacts(kind.Key, release, environment);
        return new(at, error.ToStored(), facts.ToHeaders(RuleSet.BuiltIn));
    }

    private int Pick(double at)
    {
        var found = Array.BinarySearch(_zipf, at);
        return Math.Min(found < 0 ? ~found : found + 1, Issues - 1);
    }

    private static Kind KindOf(int number)
    {
        var random = new Random(number);
        var (kind, noun) = (Kinds[number % Kinds.Length], Nouns[random.Next(Nouns.Length)]);
        var frames = Enumerable.Range(0, random.Next(FewestFrames, MostFrames)).Select(depth =>
            $$"""
            {"file":"src/{{noun}}/Step{{number}}.cs","function":"{{noun}}.Step{{number}}.Handle{{depth}}",
            "line":{{random.Next(1, 900)}}}
            """);
        var stack = Json($$"""{"type":"{{kind}}Exception","frames":[{{string.Join(',', frames)}}]}""");
        var message = $"{kind} while handling {noun}: step {number} failed";
        var level = Levels[number % Levels.Length];
        var error = new ErrorOccurred(DateTimeOffset.UnixEpoch, level, message, stack, Tags: null);
        return new(level, message, stack, GroupKey.Of(error, GroupingRules.None));
    }

    private static RawJson Json(string text) => new(Encoding.UTF8.GetBytes(text));

    /// <param name="Key">Of the group that these errors are in.</param>
    private sealed record Kind(string Level, string Message, RawJson Stack, string Key);
}
