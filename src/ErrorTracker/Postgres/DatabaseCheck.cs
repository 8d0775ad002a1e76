using ErrorTracker.Configuration;
using Npgsql;

namespace ErrorTracker.Postgres;

/// <summary>
/// What a host requires of the database that it is given. Without this check it would fail later, and less clearly.
/// </summary>
internal static class DatabaseCheck
{
    /// <exception cref="StartupException">The database is of no use, with the reason and what to do.</exception>
    public static async Task RequireAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        var encoding = await AskAsync<string>(connection, "show server_encoding", stop);
        if (encoding != "UTF8")
            throw new StartupException(
                $"The database {connection.Database} is encoded as {encoding}, which cannot hold every text. "
                + "Make it anew: create database … encoding 'UTF8' template template0.");
        if (await PoolsTransactionsAsync(database, connection, stop))
            throw new StartupException(
                "The database is reached through a pooler in transaction mode, in which locks and prepared statements "
                + "get lost: use PgBouncer's session mode, or connect to PostgreSQL itself.");
    }

    /// <summary>
    /// A pooler in transaction mode gives the connection of one that is idle to another one; PostgreSQL, and a pooler
    /// in session mode, never do.
    /// </summary>
    private static async Task<bool> PoolsTransactionsAsync(
        NpgsqlDataSource database, NpgsqlConnection idle, CancellationToken stop)
    {
        var before = await AskAsync<int>(idle, "select pg_backend_pid()", stop);
        if (before == idle.ProcessID) return false; // a pooler makes the numbers up that it tells at the start
        await using var busy = await database.OpenConnectionAsync(stop);
        await using var transaction = await busy.BeginTransactionAsync(stop);
        var taken = await AskAsync<int>(busy, "select pg_backend_pid()", stop);
        return taken == before || await AskAsync<int>(idle, "select pg_backend_pid()", stop) != before;
    }

    private static async Task<T> AskAsync<T>(NpgsqlConnection connection, string sql, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync(stop))!;
    }
}
