using System.Reflection;
using ErrorTracker.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging.Console;

namespace ErrorTracker.Hosting;

/// <summary>What the process says to whoever runs it.</summary>
internal static class ConsoleOutput
{
    private const int ShortToken = 16;

    public static void AddConsole(this WebApplicationBuilder builder)
    {
        builder.Logging.ClearProviders().AddSimpleConsole(x =>
        {
            x.SingleLine = true;
            x.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
            x.UseUtcTimestamp = true;
        });
        FoldRepeatedLines(builder.Services);
        var running = new Running();
        builder.Services.AddSingleton(running);
        foreach (var library in new[] { "Microsoft", "Wolverine", "Marten", "JasperFx", "Npgsql" })
            builder.Logging.AddFilter(library, level => level >= LogLevel.Warning && running.IsRunning);

        // Warns that there are no message handlers: there are none by design.
        builder.Logging.AddFilter("Wolverine.Configuration", LogLevel.Error);

        // Repeats each failed command with all its parameters; who runs it says what failed.
        builder.Logging.AddFilter("Marten.IDocumentStore", LogLevel.None);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Diagnostics", LogLevel.None); // Faults says what failed
        builder.Logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None); // who asks is told
        builder.Logging.AddFilter(
            "Microsoft.Extensions.Hosting.Internal.Host", level => level >= LogLevel.Critical && running.IsRunning);
    }

    /// <summary>The console is written to through <see cref="FoldedConsole"/> only.</summary>
    private static void FoldRepeatedLines(IServiceCollection services)
    {
        services.RemoveAll<ILoggerProvider>();
        services.AddSingleton<ConsoleLoggerProvider>();
        services.AddSingleton<ILoggerProvider>(x =>
            new FoldedConsole(x.GetRequiredService<ConsoleLoggerProvider>(), TimeProvider.System));
    }

    /// <summary>
    /// When all is up one line says addresses, database, version; others say what an operator should know of it.
    /// </summary>
    public static void AnnounceStart(this WebApplication app, string database) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        app.Services.GetRequiredService<Running>().IsRunning = true;
        app.Logger.LogInformation("ErrorTracker {Version} listens on {Addresses}; database: {Database}",
            typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion,
            string.Join(", ", app.Urls), database);
        var token = app.Services.GetRequiredService<Settings>().ReadToken;
        WarnOfAccess(app.Logger, token, [.. app.Urls.Where(ListenAddresses.IsOpen)]);
    });

    /// <summary>Commands show what their libraries say.</summary>
    public static Task<int> RunCommandAsync(this WebApplication app, Func<IHost, Task<int>> command)
    {
        app.Services.GetRequiredService<Running>().IsRunning = true;
        return command(app);
    }

    private static void WarnOfAccess(ILogger log, string? token, List<string> open)
    {
        if (token is null && open.Count > 0)
            log.LogWarning(
                "Whoever reaches {Addresses} can read all errors, register applications and make keys: {Setting} is not set",
                string.Join(", ", open),
                Settings.ReadTokenName);
        if (token is { Length: < ShortToken })
            log.LogWarning("{Setting} has fewer than {Least} characters, and may be guessed", Settings.ReadTokenName, ShortToken);
    }

    /// <summary>
    /// Until the host has started its libraries are not heard: what fails a start is told in one line, and by Program,
    /// not in a stack trace by each of them.
    /// </summary>
    private sealed class Running
    {
        public volatile bool IsRunning;
    }
}
