using System.Net.Sockets;
using System.Text;
using ErrorTracker.Configuration;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;

namespace ErrorTracker.Hosting;

/// <summary>Kestrel: where it listens, and what it holds back before any of our code sees it.</summary>
internal static class WebServer
{
    private const string DefaultUrl = "http://localhost:8000";

    /// <summary>A connection that does nothing costs 10 KB; more than these are closed as they come.</summary>
    private const int MostConnections = 20_000;

    private static readonly TimeSpan LongestHeaders = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan LongestShutdown = TimeSpan.FromSeconds(20);

    public static void AddWebServer(this WebApplicationBuilder builder)
    {
        builder.WebHost.UseSockets(x => x.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(x =>
        {
            x.AddServerHeader = false;
            x.RequestHeaderEncodingSelector = EncodingOf;
            x.Limits.MaxConcurrentConnections = MostConnections;
            x.Limits.MaxRequestBodySize = SendBatch.Largest;
            x.Limits.RequestHeadersTimeout = LongestHeaders;
        });
        builder.Services.Configure<HostOptions>(x => x.ShutdownTimeout = LongestShutdown);
        var isToldWhere = builder.Configuration[WebHostDefaults.ServerUrlsKey] is not null
            || builder.Configuration[WebHostDefaults.HttpPortsKey] is not null;
        if (!isToldWhere) builder.WebHost.UseUrls(DefaultUrl);
    }

    /// <summary>A host that cannot listen where it is told to says so in one line.</summary>
    public static async Task ServeAsync(this WebApplication app)
    {
        var started = app.Lifetime.ApplicationStarted;
        var urls = app.Configuration[WebHostDefaults.ServerUrlsKey];
        try
        {
            await app.RunAsync();
        }
        catch (SocketException e) when (!started.IsCancellationRequested)
        {
            throw new StartupException($"Cannot listen on {urls ?? "the ports that are set"}: {e.Message}");
        }
        catch (FormatException e) when (!started.IsCancellationRequested)
        {
            throw new StartupException($"The settings of Kestrel cannot be used: {e.Message}");
        }
    }

    /// <summary>Bytes of any kind in these headers are a wrong key, not a broken request.</summary>
    private static Encoding? EncodingOf(string header) =>
        header is NativeIntake.KeyHeader or SentryAuth.Header ? Encoding.Latin1 : null;
}
