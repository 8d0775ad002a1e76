using Npgsql;

namespace ErrorTracker.Projections;

/// <summary>Statements on a connection. Those that answer nothing may take as long as they take.</summary>
internal static class Statements
{
    public static async Task ExecuteAsync(this NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(stop);
    }

    /// <summary>The one value that a query answers.</summary>
    public static async Task<T> AskAsync<T>(this NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(stop))!;
    }

    /// <summary>The one column that a query answers.</summary>
    public static async Task<List<T>> ListAsync<T>(this NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<T>();
        while (await reader.ReadAsync(stop)) found.Add(reader.GetFieldValue<T>(0));
        return found;
    }
}
