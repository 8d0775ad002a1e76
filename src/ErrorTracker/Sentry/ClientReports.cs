using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Unicode;
using ErrorTracker.Ingestion;

namespace ErrorTracker.Sentry;

/// <summary>
/// The client reports of one request, added up: <c>{"timestamp":…,"discarded_events":[{"reason":…,"category":…,"quantity":…}]}</c>. What is no such thing is passed
/// over. Pure. Reports that all have a timestamp are named by their content, so that a request that is sent again counts once.
/// </summary>
internal sealed class ClientReports
{
    private const int MostEntries = 1_000, LongestText = 100;

    private readonly Dictionary<(string Reason, string Category), long> _dropped = [];
    private byte[] _content = [];
    private bool _isNamed = true;

    public void Add(Memory<byte> report)
    {
        if (!Utf8.IsValid(report.Span)) return;
        StorableText.Repair(report.Span);
        try
        {
            using var document = JsonDocument.Parse(report);
            if (document.RootElement.ValueKind != JsonValueKind.Object || !document.RootElement.TryGetProperty("discarded_events", out var entries) || entries.ValueKind != JsonValueKind.Array) return;
            _isNamed &= document.RootElement.TryGetProperty("timestamp", out var time) && time.ValueKind is JsonValueKind.String or JsonValueKind.Number;
            _content = SHA256.HashData([.. _content, .. report.Span]);
            foreach (var entry in entries.EnumerateArray().Where(entry => entry.ValueKind == JsonValueKind.Object)) Add(entry);
        }
        catch (JsonException)
        {
            // What cannot be read tells nothing.
        }
    }

    private void Add(JsonElement entry)
    {
        if (!entry.TryGetProperty("quantity", out var quantity) || quantity.ValueKind != JsonValueKind.Number || !quantity.TryGetInt32(out var count) || count < 1) return;
        var kind = (Text(entry, "reason"), Text(entry, "category"));
        if (_dropped.Count < MostEntries || _dropped.ContainsKey(kind)) _dropped[kind] = _dropped.GetValueOrDefault(kind) + count;
    }

    private static string Text(JsonElement entry, string member) =>
        entry.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? SentryText.Cut(text, LongestText) : "unknown";

    /// <summary>Null if nothing was dropped.</summary>
    public PendingEvent? ToPending(int application, DateTimeOffset receivedAt)
    {
        if (_dropped.Count == 0) return null;
        var lost = new LossReported([.. _dropped.Select(sum => new DroppedByClient(sum.Key.Reason, sum.Key.Category, (int)Math.Min(sum.Value, int.MaxValue)))]);
        var id = _isNamed ? PendingEvent.IdOf(application, new Guid(_content.AsSpan(0, 16))) : Guid.CreateVersion7(receivedAt);
        return new(application, id, _isNamed, receivedAt, lost.ToStored(), LossReported.StoredType);
    }
}
