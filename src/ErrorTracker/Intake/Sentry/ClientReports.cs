using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake.Sentry;

/// <summary>
/// The client reports of one request, added up: <c>{"discarded_events":[{"reason":…,"category":…,"quantity":…}]}</c>.
/// Pure. A request costs no more than reading <see cref="MostBytes"/> once, whatever it sends: each report is read
/// token by token, and what is beyond a limit is not looked at.
/// </summary>
internal sealed class ClientReports
{
    /// <summary>Of a request. SDKs send one report of a few entries.</summary>
    public const int MostBytes = 1024 * 1024, MostReports = 100, MostEntries = 1_000;

    private const int LongestText = 100;

    private readonly Dictionary<DropPair, long> _dropped = [];
    private long _bytes;
    private int _reports, _entries;

    /// <summary>What SDKs say they dropped, by their words: at most 100 characters each.</summary>
    public IReadOnlyDictionary<DropPair, long> Dropped => _dropped;

    /// <summary>Reports that could not be read, or of which not all was read.</summary>
    public int Unread { get; private set; }

    /// <param name="report">JSON in UTF-8; escapes that name no text are replaced in it.</param>
    public void Add(Memory<byte> report)
    {
        _bytes += report.Length;
        if (++_reports > MostReports || _bytes > MostBytes || !TryRead(report.Span)) Unread++;
    }

    /// <summary>
    /// False if it is no report, or has more entries than are read. Entries without a positive whole quantity say
    /// nothing and are passed over.
    /// </summary>
    private bool TryRead(Span<byte> report)
    {
        if (!Utf8.IsValid(report)) return false;
        StorableText.Repair(report);
        var json = new Utf8JsonReader(report);
        try
        {
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject) return false;
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isEntries = json.ValueTextEquals("discarded_events"u8);
                json.Read();
                if (!isEntries || json.TokenType != JsonTokenType.StartArray) json.Skip();
                else if (!TryReadEntries(ref json)) return false;
            }
            return !json.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private bool TryReadEntries(ref Utf8JsonReader json)
    {
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (++_entries > MostEntries) return false;
            if (json.TokenType == JsonTokenType.StartObject) AddEntry(ref json);
            else json.Skip();
        }
        return true;
    }

    private void AddEntry(ref Utf8JsonReader json)
    {
        var (reason, category, quantity) = ("unknown", "unknown", 0L);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var isReason = json.ValueTextEquals("reason"u8);
            var isCategory = json.ValueTextEquals("category"u8);
            var isQuantity = json.ValueTextEquals("quantity"u8);
            json.Read();
            if (isReason) reason = Text(ref json);
            else if (isCategory) category = Text(ref json);
            else if (isQuantity) quantity = Quantity(ref json);
            json.Skip();
        }
        if (quantity == 0) return;
        var pair = new DropPair(reason, category);
        _dropped[pair] = Saturating.Add(_dropped.GetValueOrDefault(pair), quantity);
    }

    private static string Text(ref Utf8JsonReader json) =>
        json.TokenType == JsonTokenType.String && json.GetString() is { Length: > 0 } text
            ? CodePoints.Truncate(text, LongestText)
            : "unknown";

    /// <summary>
    /// A positive whole number in any of JSON's spellings, such as <c>3</c>, <c>3.0</c> and <c>3e9</c>, cut to what a
    /// long holds; 0 if it is something else.
    /// </summary>
    private static long Quantity(ref Utf8JsonReader json)
    {
        if (json.TokenType != JsonTokenType.Number) return 0;
        if (json.TryGetInt64(out var whole)) return Math.Max(whole, 0);
        if (!json.TryGetDouble(out var number) || number < 1) return 0;
        if (number >= long.MaxValue) return long.MaxValue;
        if (!json.TryGetDecimal(out var exact) || exact != decimal.Truncate(exact)) return 0;
        return exact >= long.MaxValue ? long.MaxValue : (long)exact;
    }
}
