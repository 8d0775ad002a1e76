using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Transfer;

/// <summary>
/// An error to load: which of the demo's applications reports it, when, its stored form and what is stored beside it.
/// </summary>
internal readonly record struct DemoError(
    int Application, DateTimeOffset ReceivedAt, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Headers);

/// <summary>
/// Errors as services have them: few messages make most of the noise (Zipf), days are busy and nights quiet, now and then
/// one message bursts. A new release comes every other day, and takes over within hours. The same seed makes the same
/// errors.
/// </summary>
internal sealed class DemoErrors
{
    private const int MessagesOfApplication = 1_000, LongestBurst = 10, BurstFactor = 20;
    private const double ZipfExponent = 1.1;

    private static readonly (string Level, double Share)[] Shares =
        [("DEBUG", 0.04), ("INFO", 0.14), ("WARNING", 0.26), ("ERROR", 0.5), ("CRITICAL", 0.06)];

    private static readonly string[] Kinds =
    [
        "Timeout", "NullReference", "Validation", "Connection", "Concurrency", "Serialization", "Authorization",
        "NotFound",
    ];

    private static readonly string[] Nouns =
    [
        "order", "payment", "invoice", "session", "cart", "user", "shipment", "report", "export", "webhook", "token",
        "cache",
    ];

    private const int DaysBetweenReleases = 2;
    private const double HoursOfTakeover = 6, StagingShare = 0.1;

    private static readonly string[] Regions = ["eu-west", "eu-north", "us-east", "us-west", "ap-south"];

    private readonly DateTimeOffset _start;
    private readonly double[] _untilMinute;
    private readonly (int Application, int Message)?[] _bursts;
    private readonly double[] _zipf, _applications;
    private readonly Message[][] _messages;

    public DemoErrors(DateTimeOffset start, int days, int applications, int seed)
    {
        var random = new Random(seed);
        _start = start;
        _bursts = Bursts(random, days, applications);
        _untilMinute = Cumulated(
            Enumerable.Range(0, _bursts.Length).Select(m => BusynessAt(m) * (_bursts[m] is null ? 1 : BurstFactor)));
        _zipf = Cumulated(Enumerable.Range(1, MessagesOfApplication).Select(rank => Math.Pow(rank, -ZipfExponent)));
        _applications = Cumulated(Enumerable.Range(1, applications).Select(rank => 1.0 / rank));
        _messages = [.. Enumerable.Range(0, applications).Select(_ => Messages(random))];
    }

    /// <summary>Some errors, in the order of their times.</summary>
    /// <param name="first">The number of the first one.</param>
    /// <param name="count">How many.</param>
    /// <param name="total">How many there are in all.</param>
    public IEnumerable<DemoError> Take(long first, int count, long total)
    {
        var random = new Random((int)(first % int.MaxValue));
        var minute = 0;
        for (var i = first; i < first + count; i++)
        {
            var at = (double)i / total * _untilMinute[^1];
            if (i == first) minute = Pick(_untilMinute, at);
            while (_untilMinute[minute] <= at && minute < _untilMinute.Length - 1) minute++;
            var before = minute == 0 ? 0 : _untilMinute[minute - 1];
            var time = _start + TimeSpan.FromMinutes(minute + Math.Clamp((at - before) / (_untilMinute[minute] - before), 0, 0.999999));
            time = new(time.Ticks / TimeSpan.TicksPerMicrosecond * TimeSpan.TicksPerMicrosecond, TimeSpan.Zero);

            var (application, message) = _bursts[minute] is { } burst && random.NextDouble() < 0.95
                ? burst
                : (Pick(_applications, random.NextDouble() * _applications[^1]), Pick(_zipf, random.NextDouble() * _zipf[^1]));
            var sent = _messages[application][message];
            var facts = new EventFacts(
                sent.Key, ReleaseAt(time - _start, random), random.NextDouble() < StagingShare ? "staging" : "production");
            yield return new(application, time, Write(sent, facts, time, random), facts.ToHeaders(RuleSet.BuiltIn));
        }
    }

    /// <summary>Such as 2.3.1: the last one, or for some hours still the one before it.</summary>
    private static string ReleaseAt(TimeSpan sinceStart, Random random)
    {
        var number = (int)(sinceStart.TotalDays / DaysBetweenReleases);
        var hours = sinceStart.TotalHours - number * DaysBetweenReleases * 24;
        var isOld = number > 0 && random.NextDouble() * HoursOfTakeover > hours;
        if (isOld) number--;
        return string.Create(CultureInfo.InvariantCulture, $"2.{number / 5}.{number % 5}");
    }

    /// <param name="Level">Of all events with this message.</param>
    /// <param name="Text">JSON.</param>
    /// <param name="Stack">JSON.</param>
    /// <param name="Key">The group that these events are in.</param>
    private sealed record Message(string Level, byte[] Text, byte[] Stack, string Key);

    private static ReadOnlyMemory<byte> Write(
        Message message, EventFacts facts, DateTimeOffset receivedAt, Random random)
    {
        var buffer = new ArrayBufferWriter<byte>(256 + message.Text.Length + message.Stack.Length);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("occurred_at", receivedAt - TimeSpan.FromMilliseconds(random.Next(1, 500)));
            json.WriteString("level", message.Level);
            json.WritePropertyName("message");
            json.WriteRawValue(message.Text, skipInputValidation: true);
            json.WritePropertyName("stack");
            json.WriteRawValue(message.Stack, skipInputValidation: true);
            json.WriteStartObject("tags");
            json.WriteString("release", facts.Release);
            json.WriteString("environment", facts.Environment);
            json.WriteString("region", Regions[random.Next(Regions.Length)]);
            json.WriteString("host", $"node-{random.Next(40):00}");
            json.WriteString("user", random.Next(100_000).ToString(CultureInfo.InvariantCulture));
            json.WriteEndObject();
            json.WriteEndObject();
        }
        return buffer.WrittenMemory;
    }

    private static Message[] Messages(Random random) =>
        [.. Enumerable.Range(0, MessagesOfApplication).Select(number => NewMessage(random, number))];

    private static Message NewMessage(Random random, int number)
    {
        var (kind, noun) = (Kinds[random.Next(Kinds.Length)], Nouns[random.Next(Nouns.Length)]);
        var share = random.NextDouble();
        var level = Shares.First(s => (share -= s.Share) < 0 || s == Shares[^1]).Level;
        var frames = Enumerable.Range(0, random.Next(5, 31)).Select(_ => Frame(random, kind, noun)).ToList();
        var stack = $$"""{"type":"{{kind}}Exception","frames":[{{string.Join(',', frames)}}]}""";
        var message = $"{kind} while handling {noun}: step {number} failed";
        var raw = new RawJson(Encoding.UTF8.GetBytes(stack));
        var key = GroupKey.Of(new(DateTimeOffset.UnixEpoch, level, message, raw, Tags: null), GroupingRules.None);
        return new(level, JsonSerializer.SerializeToUtf8Bytes(message), Encoding.UTF8.GetBytes(stack), key);
    }

    private static string Frame(Random random, string kind, string noun)
    {
        var file = $"src/{Nouns[random.Next(Nouns.Length)]}/{kind}{random.Next(50)}.cs";
        var function = $"{noun}.Handle{random.Next(100)}";
        return $$"""{"file":"{{file}}","function":"{{function}}","line":{{random.Next(1, 900)}}}""";
    }

    /// <summary>About one burst a day, of one message of one application, up to ten minutes long.</summary>
    private static (int, int)?[] Bursts(Random random, int days, int applications)
    {
        var bursts = new (int, int)?[days * 24 * 60];
        for (var day = 0; day < days; day++)
        {
            var minutes = bursts.AsSpan().Slice(random.Next(bursts.Length - LongestBurst), random.Next(2, LongestBurst));
            minutes.Fill((random.Next(applications), random.Next(MessagesOfApplication)));
        }
        return bursts;
    }

    private static double BusynessAt(int minute) => 1.1 + Math.Sin((minute % 1440 / 1440.0 - 0.3) * 2 * Math.PI);

    private static double[] Cumulated(IEnumerable<double> weights)
    {
        var sum = 0.0;
        return [.. weights.Select(w => sum += w)];
    }

    private static int Pick(double[] cumulated, double at)
    {
        var found = Array.BinarySearch(cumulated, at);
        return Math.Min(found < 0 ? ~found : found + 1, cumulated.Length - 1);
    }
}
