using System.Reflection;

namespace ErrorTracker.Hosting;

/// <summary>What the process says to whoever runs it.</summary>
internal static class ConsoleOutput
{
    public static void AddConsole(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders().AddSimpleConsole(x =>
        {
            x.SingleLine = true;
            x.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            x.UseUtcTimestamp = true;
        });
        builder.Logging.AddFilter("Microsoft", LogLevel.Warning).AddFilter("Wolverine", LogLevel.Warning).AddFilter("Wolverine.Configuration", LogLevel.Error).AddFilter("Marten", LogLevel.Warning)
            .AddFilter("JasperFx", LogLevel.Warning).AddFilter("Npgsql", LogLevel.Warning);
    }

    /// <summary>One line when all is up: addresses, database, version.</summary>
    public static void AnnounceStart(this WebApplication app, string database) =>
        app.Lifetime.ApplicationStarted.Register(() => app.Logger.LogInformation("ErrorTracker {Version} listens on {Addresses}; database: {Database}",
            typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion, string.Join(", ", app.Urls), database));
}
