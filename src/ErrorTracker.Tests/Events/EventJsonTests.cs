using System.Text;
using ErrorTracker.Commit;
using ErrorTracker.Events;

namespace ErrorTracker.Tests.Events;

public sealed class EventJsonTests
{
    private const string Id = "019c1234-5678-7abc-9def-0123456789ab";

    private static readonly DateTimeOffset ReceivedAt =
        new DateTimeOffset(2026, 5, 4, 10, 0, 0, TimeSpan.Zero).AddMicroseconds(1);

    [Theory]
    [InlineData(
        """{"level": "ERROR", "message": "m", "occurred_at": "2026-01-31T12:00:00+00:00"}""",
        "null", "2026-01-31T12:00:00Z", "ERROR", "m", "null", "null", "")]
    [InlineData(
        """{"tags": {"a": "}\""}, "level": "INFO", "stack": {"x": [1, {"level": "no"}]}, "message": "a\"b\nü","""
        + """ "event_id": "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10", "occurred_at": "0001-01-01T02:00:00.12+02:00"}""",
        "\"7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10\"", "0001-01-01T00:00:00.12Z", "INFO", """a\"b\nü""",
        """{"x": [1, {"level": "no"}]}""", """{"a": "}\""}""", "")]
    [InlineData(
        """{"level": "ERROR", "message": "m", "context": {"user": {"event_id": 7}, "event_id": "no"},"""
        + """ "unknown": [[]], "occurred_at": "2026-01-31T12:00:00+00:00"}""",
        "null", "2026-01-31T12:00:00Z", "ERROR", "m", "null", "null",
        ""","context":{"user": {"event_id": 7}, "event_id": "no"}""")]
    public void an_item_holds_the_stored_members_as_they_are(
        string stored, string eventId, string occurredAt, string level, string message, string stack, string tags,
        string context)
    {
        var item =
            $$"""
            {"id":"{{Id}}","event_id":{{eventId}},"application_id":7,
            "occurred_at":"{{occurredAt}}","received_at":"2026-05-04T10:00:00.000001Z",
            "level":"{{level}}","message":"{{message}}","stack":{{stack}},"tags":{{tags}}{{context}}}
            """;
        Assert.Equal(item.ReplaceLineEndings(""), Written(Guid.Parse(Id), stored));
    }

    [Fact]
    public void an_sdk_s_id_in_the_context_is_taken_for_one_if_the_row_s_id_is_made_of_it()
    {
        var id = Guid.NewGuid();
        var context = $$"""{"a": {}, "event_id": "{{id:N}}"}""";
        var stored =
            $$"""
            {"level": "ERROR", "context": {{context}}, "message": "m", "occurred_at": "2026-01-31T12:00:00+00:00"}
            """;
        Assert.Contains($"\"event_id\":\"{id}\",", Written(PendingEvent.IdOf(7, id), stored));
        Assert.Contains("\"event_id\":null,", Written(PendingEvent.IdOf(8, id), stored));
    }

    [Fact]
    public async Task memory_is_given_back_piece_by_piece_as_a_page_is_read()
    {
        var memory = new PageMemory();
        using var page = memory.NewPage(7);
        var bytes = Enumerable.Range(0, 1_000_000).Select(i => (byte)i).ToArray();
        Assert.True(page.TryReserve(bytes.Length));
        foreach (var part in bytes.Chunk(77_777)) page.Write(part);
        Assert.InRange(memory.Taken, bytes.Length, bytes.Length + 64 * 1024);
        Assert.False(memory.NewPage(7).TryReserve(PageMemory.Most / 2));

        using var read = new Reader(memory);
        await page.SendAsync(read, CancellationToken.None);
        Assert.Equal(bytes, read.ToArray());
        Assert.Equal(read.Held.OrderDescending(), read.Held);
        Assert.Equal(0, memory.Taken);
    }

    private static string Written(Guid id, string stored)
    {
        using var page = new PageMemory().NewPage(7);
        Assert.True(page.TryReserve(stored.Length * 2 + EventJson.Overhead));
        EventJson.Write(page, 7, id, ReceivedAt, Encoding.UTF8.GetBytes(stored));
        var text = new MemoryStream();
        page.SendAsync(text, CancellationToken.None).GetAwaiter().GetResult();
        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>Notes what pages hold whenever it is given a piece.</summary>
    private sealed class Reader(PageMemory memory) : MemoryStream
    {
        public List<long> Held { get; } = [];

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken stop = default)
        {
            Held.Add(memory.Taken);
            return base.WriteAsync(buffer, stop);
        }
    }
}
