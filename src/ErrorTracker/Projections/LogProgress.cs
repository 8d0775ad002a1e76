using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>
/// How far things are: Marten's table of progress, a row for each shard and one for the high-water mark, and the end of
/// the log. Whoever asks for them does so by these fragments;
/// who changes a row writes its own statement, in the transaction of the change.
/// </summary>
/// <remarks>
/// Marten's own <c>AllProjectionProgress</c> and <c>FetchEventStoreStatistics</c> would not do. Folds, rebuilds and
/// <see cref="Verify"/> need the progress in their own transaction, statistics in their own snapshot; the watch and
/// readiness ask for it with the log's end in one question a second; the feed and the status ask on a reader's
/// connection, not on one that is reserved; and those statistics count the whole log, event by event.
/// </remarks>
internal static class LogProgress
{
    public const string Table = $"{LogSchema.Name}.mt_event_progression";

    /// <summary>The row of the high-water mark.</summary>
    public const string MarkRow = "HighWaterMark";

    /// <summary>The high-water mark, as SQL; 0 if there is none yet.</summary>
    public const string Mark =
        $"coalesce((select p.last_seq_id from {Table} as p where p.name = '{MarkRow}'), 0)";

    /// <summary>The sequence number of the log's last event, as SQL; 0 if it has none.</summary>
    public const string LogEnd = $"coalesce((select max(e.seq_id) from {LogSchema.Name}.mt_events as e), 0)";

    /// <summary>The highest sequence number that anyone has drawn, as SQL; 0 if nobody has.</summary>
    public const string Drawn =
        $"(select case when s.is_called then s.last_value else 0 end from {LogSchema.Name}.mt_events_sequence as s)";

    /// <summary>How far a shard is, as SQL; 0 if nothing is folded.</summary>
    /// <param name="row">As SQL: a parameter or a literal.</param>
    public static string Of(string row) =>
        $"coalesce((select p.last_seq_id from {Table} as p where p.name = {row}), 0)";

    /// <summary>
    /// A transaction that folds, closes, restores or swaps starts with this, so that one waits for another.
    /// </summary>
    public static string Take(string row) =>
        $"""
        insert into {Table} as kept (name, last_seq_id) values ('{row}', 0)
        on conflict (name) do update set last_seq_id = kept.last_seq_id
        """;

    public static Task<long> ReadAsync(NpgsqlConnection connection, string row, CancellationToken stop) =>
        connection.AskAsync<long>($"select {Of($"'{row}'")}", stop);

    public static Task<long> ReadMarkAsync(NpgsqlConnection connection, CancellationToken stop) =>
        connection.AskAsync<long>($"select {Mark}", stop);

    /// <summary>False in a database that no host has started on.</summary>
    public static async Task<bool> ExistsAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        return await connection.AskAsync<bool>($"select to_regclass('{Table}') is not null", stop);
    }
}
