using System.Diagnostics;
using System.Net.Sockets;
using ErrorTracker.Configuration;
using ErrorTracker.Postgres;
using JasperFx;
using Marten;
using Npgsql;
using Weasel.Core.Migrations;

namespace ErrorTracker.Log;

/// <summary>What a host requires of the log's database before it serves.</summary>
internal static class LogStart
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(150);

    /// <summary>
    /// Machines and containers start in any order, so a host waits for a PostgreSQL that does not answer yet, or has no
    /// such name yet. It does not wait for one that refuses.
    /// </summary>
    public static async Task AwaitDatabaseAsync(this WebApplication app)
    {
        var database = app.Services.GetRequiredService<LogDatabases>().Main.Reserved;
        var timeout = app.Services.GetRequiredService<Settings>().DatabasePatience;
        var watch = Stopwatch.StartNew();
        for (var isFirst = true; ; isFirst = false)
            try
            {
                await DatabaseCheck.RequireAsync(database, app.Lifetime.ApplicationStopping);
                return;
            }
            catch (Exception e) when (e is SocketException or NpgsqlException { IsTransient: true })
            {
                if (watch.Elapsed >= timeout) throw new StartupException($"PostgreSQL does not answer: {e.Message}");
                if (isFirst)
                    app.Logger.LogWarning("PostgreSQL does not answer, and is waited for: {Reason}", e.Message);
                await Task.Delay(Pause);
            }
    }

    /// <summary>With <c>AutoCreate</c> off a host only starts on the schema that it was built for.</summary>
    public static async Task RequireSchemaAsync(this WebApplication app)
    {
        if (app.Services.GetRequiredService<Settings>().AutoCreate != AutoCreate.None) return;
        var database = app.Services.GetRequiredService<IDocumentStore>().Storage.Database;
        try
        {
            await database.AssertDatabaseMatchesConfigurationAsync();
        }
        catch (DatabaseValidationException)
        {
            throw new StartupException(
                "The schema is not the one of this version. "
                + "Run the command db-apply, or start with ErrorTracker__AutoCreate=CreateOrUpdate.");
        }
    }
}
