using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// One snapshot, for as many queries as an answer needs. Closing the connection ends its transaction.
/// </summary>
internal sealed class Snapshot(Reader reader, Marks marks) : IAsyncDisposable
{
    public NpgsqlCommand Ask(string sql, Question question)
    {
        var command = question.Ask(sql, marks);
        command.Connection = reader.Connection;
        return command;
    }

    public async Task<List<T>> QueryAsync<T>(
        string sql, Question question, Func<NpgsqlDataReader, T> row, CancellationToken stop)
    {
        await using var command = Ask(sql, question);
        await using var found = await command.ExecuteReaderAsync(stop);
        var rows = new List<T>();
        while (await found.ReadAsync(stop)) rows.Add(row(found));
        return rows;
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();
}

/// <summary>How far things are in a snapshot.</summary>
/// <param name="Folded">The sequence up to which the counters have folded the log.</param>
/// <param name="Newest">The received_at of the application's last event.</param>
internal sealed record Marks(long Folded, DateTimeOffset Newest);
