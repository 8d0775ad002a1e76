using ErrorTracker.Grouping;
using ErrorTracker.Log;
using Npgsql;

namespace ErrorTracker.Windows;

/// <summary>
/// One snapshot, for as many queries as an answer needs. Closing the connection ends its transaction.
/// </summary>
internal sealed class Snapshot(Reader reader, int applicationId, Marks marks) : IAsyncDisposable
{
    /// <summary>Read by <see cref="ReadTailAsync"/>; empty before.</summary>
    public Tail Tail { get; private set; } = Tail.None;

    public Marks Marks => marks;

    /// <summary>In the snapshot's transaction, for who asks otherwise than by <see cref="QueryAsync"/>.</summary>
    public NpgsqlConnection Connection => reader.Connection;

    public RuleSet Rules { get; private set; } = RuleSet.BuiltIn;

    /// <summary>Who asks for groups calls this first.</summary>
    /// <exception cref="StillCountedException">More than a reader can look at is not folded yet.</exception>
    public async Task ReadWholeTailAsync(CancellationToken stop)
    {
        await ReadTailAsync(stop);
        if (!Tail.IsComplete) throw new StillCountedException();
    }

    /// <summary>For who can do without some groups of the tail.</summary>
    public async Task ReadTailAsync(CancellationToken stop)
    {
        if (Tail != Tail.None) return;
        await ReadRulesAsync(stop);
        Tail = await Tail.ReadAsync(reader.Connection, TenantId.Of(applicationId), marks, Rules, stop);
    }

    /// <summary>The rules by which the application's errors are grouped.</summary>
    public async Task ReadRulesAsync(CancellationToken stop)
    {
        if (marks.Grouping != 0)
            Rules = (await AdoptedRules.ReadAsync(reader.Connection, stop))[applicationId];
    }

    /// <summary>
    /// The groups of an issue that a question is about; null if it is about none. One whose number no event has been
    /// given has no groups, and so no events.
    /// </summary>
    /// <exception cref="StillCountedException">More than a reader can look at is not folded yet.</exception>
    public async Task<IssueGroups?> FindIssueAsync(int? number, CancellationToken stop)
    {
        if (number is not { } asked) return null;
        await ReadWholeTailAsync(stop);
        return await IssueGroups.FindAsync(this, applicationId, asked, stop) ?? new(asked, [], []);
    }

    public NpgsqlCommand Ask(string sql, Question question)
    {
        var command = question.Ask(sql, marks, Tail);
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
/// <param name="Mark">The high-water mark: nothing at or below it is still being written.</param>
/// <param name="End">The log's last event that can be seen.</param>
/// <param name="Grouping">By which of its rule sets the application's events are grouped.</param>
internal sealed record Marks(long Folded, DateTimeOffset Newest, long Mark, long End, int Grouping);
