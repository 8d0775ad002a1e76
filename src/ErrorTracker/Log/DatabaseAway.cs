using Npgsql;

namespace ErrorTracker.Log;

/// <summary>
/// Which exceptions say that PostgreSQL is away, restarts or has no room: nobody's mistake, and soon over.
/// </summary>
internal static class DatabaseAway
{
    /// <summary>
    /// SQLSTATE classes: connection, transaction state, transaction rolled back, resources, object not ready,
    /// operator's intervention, system.
    /// </summary>
    private static readonly string[] Passing = ["08", "25", "40", "53", "55", "57", "58"];

    /// <summary>The exception that says so, among those that led to this one; null if none does.</summary>
    public static NpgsqlException? Find(Exception? failure)
    {
        for (; failure is not null; failure = failure.InnerException)
            if (failure is NpgsqlException away && IsPassing(away)) return away;
        return null;
    }

    /// <summary>Another try, a moment later, may not meet it.</summary>
    public static bool IsPassing(NpgsqlException failure) =>
        failure is not PostgresException { SqlState: var state } || Passing.Contains(state[..2]);
}
