using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>What a database must be like before anything is made in it.</summary>
internal static class DatabaseCheck
{
    public static async Task RequireUsableAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand("show server_encoding", connection);
        if (await command.ExecuteScalarAsync() is string encoding and not "UTF8")
            throw new StartupException(
                $"The database {connection.Database} is encoded as {encoding}, which cannot hold every text. "
                + "Make it anew: create database … encoding 'UTF8' template template0.");
    }
}
