using System.Buffers;
using System.Data;
using Npgsql;

namespace ErrorTracker.Events;

/// <summary>How a page was filled.</summary>
/// <param name="Events">How many events it holds.</param>
/// <param name="Last">The sequence number of the last one; 0 if there is none.</param>
/// <param name="HasMore">There are events after it.</param>
internal readonly record struct Filled(int Events, long Last, bool HasMore);

/// <summary>
/// Reads rows of the log into a page, a few at a time: where the page ends early, the database need not produce the
/// others.
/// </summary>
internal static class EventCursor
{
    /// <summary>A page ends before it is longer, but for one event that alone is.</summary>
    public const long MostBytes = 8 * 1024 * 1024;

    /// <summary>What a row must consist of, as SQL.</summary>
    public const string Columns = "seq_id, id, timestamp, data::text";

    /// <summary>The first rows tell how large the others may be.</summary>
    private const int FirstRows = 12;

    /// <summary>
    /// Opens a cursor on a query, in the connection's transaction, and fetches its first rows, in one trip.
    /// </summary>
    public static string Declare(string query) => $"declare events no scroll cursor for {query}; {Fetch(FirstRows)}";

    private static string Fetch(long rows) => $"fetch {rows} from events";

    /// <param name="page">Where to.</param>
    /// <param name="first">Made by <see cref="Declare"/>, or a query of fewer rows than are fetched at once.</param>
    /// <param name="applicationId">Whose events they are.</param>
    /// <param name="most">Events of the page.</param>
    /// <param name="stop">Cuts it off.</param>
    /// <returns>Null if there is no memory for a first event.</returns>
    public static async Task<Filled?> FillAsync(
        Page page, NpgsqlCommand first, int applicationId, int most, CancellationToken stop)
    {
        var (filled, largest, rows) = (new Filled(), 1L, (long)FirstRows);
        for (var command = first; ; command = new(Fetch(rows), first.Connection))
        {
            await using var part = command;
            await using var row = await part.ExecuteReaderAsync(CommandBehavior.SequentialAccess, stop);
            var read = 0;
            for (; await row.ReadAsync(stop); read++)
            {
                if (filled.Events == most) return filled with { HasMore = true };
                var before = page.Length;
                if (await TryTakeAsync(page, row, applicationId, filled.Events, stop) is not { } sequence)
                    return filled.Events == 0 ? null : filled with { HasMore = true };
                filled = new(filled.Events + 1, sequence, false);
                largest = Math.Max(largest, page.Length - before);
            }
            if (read < rows) return filled;
            rows = Math.Clamp((MostBytes - page.Length) / largest, 1, most - filled.Events + 1);
        }
    }

    /// <summary>The sequence number of the row; null if it does not fit into the page or into memory.</summary>
    private static async Task<long?> TryTakeAsync(
        Page page, NpgsqlDataReader row, int applicationId, int before, CancellationToken stop)
    {
        var (sequence, id, receivedAt) = (row.GetInt64(0), row.GetGuid(1), row.GetFieldValue<DateTimeOffset>(2));
        await using var stored = await row.GetStreamAsync(3, stop);
        var size = (int)stored.Length;
        var needed = size + EventJson.Overhead;
        var isTooLong = before > 0 && page.Length + needed > MostBytes;
        if (isTooLong || !page.TryReserve(needed)) return null;

        var buffer = ArrayPool<byte>.Shared.Rent(size);
        try
        {
            await stored.ReadExactlyAsync(buffer.AsMemory(0, size), stop);
            if (before > 0) page.Write(","u8);
            EventJson.Write(page, applicationId, id, receivedAt, buffer.AsSpan(0, size));
            return sequence;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
