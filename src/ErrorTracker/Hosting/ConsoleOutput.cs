using System.Reflection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

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
        FoldRepeatedLines(builder.Services);
        foreach (var library in new[] { "Microsoft", "Wolverine", "Marten", "JasperFx", "Npgsql" }) builder.Logging.AddFilter(library, LogLevel.Warning);
        builder.Logging.AddFilter("Wolverine.Configuration", LogLevel.Error); // warns that there are no message handlers: there are none by design
        builder.Logging.AddFilter("Marten.IDocumentStore", LogLevel.None); // repeats each failed command with all its parameters; who runs it says what failed
        builder.Logging.AddFilter("Microsoft.AspNetCore.Diagnostics", LogLevel.None); // Faults says what failed
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None); // whoever asks is told
        builder.Logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical); // Program reports what keeps the host from starting
    }

    /// <summary>The console is written to through <see cref="FoldedConsole"/> only.</summary>
    private static void FoldRepeatedLines(IServiceCollection services)
    {
        services.RemoveAll<ILoggerProvider>();
        services.AddSingleton<ConsoleLoggerProvider>();
        services.AddSingleton<ILoggerProvider>(x =>
            new FoldedConsole(x.GetRequiredService<ConsoleLoggerProvider>(), TimeProvider.System));
    }

    /// <summary>One line when all is up: addresses, database, version.</summary>
    public static void AnnounceStart(this WebApplication app, string database) =>
        app.Lifetime.ApplicationStarted.Register(() => app.Logger.LogInformation("ErrorTracker {Version} listens on {Addresses}; database: {Database}",
            typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion, string.Join(", ", app.Urls), database));
}
