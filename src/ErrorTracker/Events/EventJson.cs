using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Log;

namespace ErrorTracker.Events;

/// <summary>
/// Writes an <see cref="EventItem"/> from a row of the log. The members' JSON is copied as the log has it: nothing of
/// it is made into objects, whatever its size.
/// </summary>
internal static class EventJson
{
    /// <summary>Bytes of an item beyond those of the stored JSON, at most: names, ids and times.</summary>
    public const int Overhead = 512;

    /// <param name="output">Where to.</param>
    /// <param name="applicationId">Whose row it is.</param>
    /// <param name="id">Of the row.</param>
    /// <param name="receivedAt">Of the row.</param>
    /// <param name="stored">An <see cref="ErrorOccurred"/> as JSON in UTF-8.</param>
    public static void Write(Page output, int applicationId, Guid id, DateTimeOffset receivedAt, ReadOnlySpan<byte> stored)
    {
        var members = Members.Of(stored);
        output.Write("{\"id\":\""u8);
        WriteId(output, id);
        output.Write("\",\"event_id\":"u8);
        WriteEventId(output, EventIdOf(applicationId, id, stored, members));
        output.Write(",\"application_id\":"u8);
        WriteText(output, applicationId.ToString(CultureInfo.InvariantCulture));
        output.Write(",\"occurred_at\":\""u8);
        WriteText(output, Instant.ToText(members.OccurredAt));
        output.Write("\",\"received_at\":\""u8);
        WriteText(output, Instant.ToText(receivedAt));
        output.Write("\",\"level\":"u8);
        WriteRaw(output, stored[members.Level]);
        output.Write(",\"message\":"u8);
        WriteRaw(output, stored[members.Message]);
        output.Write(",\"stack\":"u8);
        WriteRaw(output, stored[members.Stack]);
        output.Write(",\"tags\":"u8);
        WriteRaw(output, stored[members.Tags]);
        if (stored[members.Context] is { IsEmpty: false } context)
        {
            output.Write(",\"context\":"u8);
            output.Write(context);
        }
        output.Write("}"u8);
    }

    /// <summary>
    /// Rows of former versions hold an SDK's event_id in the context only. It is taken for one if the row's id is made
    /// of it.
    /// </summary>
    private static Guid? EventIdOf(int applicationId, Guid id, ReadOnlySpan<byte> stored, Members members)
    {
        if (members.EventId is { } named) return named;
        return stored[members.Context] is { IsEmpty: false } context && SdkIdOf(context) is { } told
            && PendingEvent.IdOf(applicationId, told) == id ? told : null;
    }

    private static Guid? SdkIdOf(ReadOnlySpan<byte> context)
    {
        var reader = new Utf8JsonReader(context);
        for (reader.Read(); reader.Read() && reader.TokenType == JsonTokenType.PropertyName; reader.Skip())
        {
            var isId = reader.ValueTextEquals("event_id"u8);
            reader.Read();
            if (isId) return reader.TokenType == JsonTokenType.String && Guid.TryParse(reader.GetString(), out var id) ? id : null;
        }
        return null;
    }

    private static void WriteEventId(Page output, Guid? id)
    {
        if (id is null) output.Write("null"u8);
        else
        {
            output.Write("\""u8);
            WriteId(output, id.Value);
            output.Write("\""u8);
        }
    }

    private static void WriteId(Page output, Guid id)
    {
        Span<byte> text = stackalloc byte[36];
        Utf8Formatter.TryFormat(id, text, out _);
        output.Write(text);
    }

    private static void WriteText(Page output, string ascii)
    {
        Span<byte> text = stackalloc byte[ascii.Length];
        Encoding.ASCII.GetBytes(ascii, text);
        output.Write(text);
    }

    private static void WriteRaw(Page output, ReadOnlySpan<byte> json) => output.Write(json.IsEmpty ? "null"u8 : json);

    /// <summary>Where in the stored JSON its members are; those that are absent are empty.</summary>
    private struct Members
    {
        public DateTimeOffset OccurredAt;
        public Guid? EventId;
        public Range Level, Message, Stack, Tags, Context;

        public static Members Of(ReadOnlySpan<byte> stored)
        {
            var found = new Members();
            var reader = new Utf8JsonReader(stored, new JsonReaderOptions { MaxDepth = 1_000 });
            for (reader.Read(); reader.Read() && reader.TokenType == JsonTokenType.PropertyName;)
                if (reader.ValueTextEquals("occurred_at"u8))
                    found.OccurredAt = reader.Read() && reader.TryGetDateTimeOffset(out var at) ? at : default;
                else if (reader.ValueTextEquals("event_id"u8))
                    found.EventId = reader.Read() && reader.TryGetGuid(out var id) ? id : null;
                else if (reader.ValueTextEquals("level"u8)) found.Level = ValueOf(ref reader);
                else if (reader.ValueTextEquals("message"u8)) found.Message = ValueOf(ref reader);
                else if (reader.ValueTextEquals("stack"u8)) found.Stack = ValueOf(ref reader);
                else if (reader.ValueTextEquals("tags"u8)) found.Tags = ValueOf(ref reader);
                else if (reader.ValueTextEquals("context"u8)) found.Context = ValueOf(ref reader);
                else ValueOf(ref reader);
            return found;
        }

        private static Range ValueOf(ref Utf8JsonReader reader)
        {
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            reader.Skip();
            return start..(int)reader.BytesConsumed;
        }
    }
}
