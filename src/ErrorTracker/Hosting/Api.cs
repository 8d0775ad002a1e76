using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;
using ErrorTracker.Configuration;
using ErrorTracker.Http;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Wolverine.Http;

namespace ErrorTracker.Hosting;

/// <summary>The HTTP side: JSON in snake_case, problem details, Swagger at /docs, health, and the endpoints that Wolverine finds in the rooms.</summary>
internal static class Api
{
    /// <summary>What endpoints are called that ask for no token: of health, and the root, which load balancers ask for.</summary>
    public const string OpenToAll = "open to all";

    /// <summary>One that does nothing costs 10 KB; more than these are closed as they come.</summary>
    private const int MostConnections = 20_000;

    public static void AddApi(this WebApplicationBuilder builder)
    {
        builder.WebHost.UseSockets(x => x.UnsafePreferInlineScheduling = true);
        builder.WebHost.ConfigureKestrel(x =>
        {
            x.AddServerHeader = false;
            x.RequestHeaderEncodingSelector = name => name is NativeIntake.KeyHeader or SentryAuth.Header ? System.Text.Encoding.Latin1 : null; // bytes of any kind are a wrong key, not a broken request
            x.Limits.MaxConcurrentConnections = MostConnections;
            x.Limits.MaxRequestBodySize = SendBatch.Largest;
            x.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        });
        builder.Services.Configure<HostOptions>(x => x.ShutdownTimeout = TimeSpan.FromSeconds(20));
        if (builder.Configuration[WebHostDefaults.ServerUrlsKey] is null && builder.Configuration[WebHostDefaults.HttpPortsKey] is null)
            builder.WebHost.UseUrls("http://localhost:8000");
        builder.Services.ConfigureHttpJsonOptions(x =>
        {
            x.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower;
            x.SerializerOptions.Converters.Add(new UtcTime());
            x.SerializerOptions.TypeInfoResolverChain.Insert(0, ReceiptJson.Default);
        });
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<Faults>();
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddHealthChecks().AddCheck<Readiness>("ready");
        builder.Services.AddCors();
        builder.Services.AddWolverineHttp();
        builder.AddDocumentation();
    }

    public static void MapApi(this WebApplication app)
    {
        app.UsePublicAddress();
        app.UseMiddleware<HeadAsGet>();
        app.UseExceptionHandler();
        app.UseStatusCodePages();
        app.UseMiddleware<RefusalLog>();
        app.UseMiddleware<SecurityHeaders>();
        app.UseCorsForSdks();
        app.UseRouting();
        app.UseMiddleware<ReadToken>();
        app.UseMiddleware<QueryCheck>();
        app.UseDocumentation();
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = _ => false }).WithDisplayName(OpenToAll);
        foreach (var path in new[] { "/health/ready", "/health" })
            app.MapHealthChecks(path, new HealthCheckOptions { ResponseWriter = Describe }).WithDisplayName(OpenToAll);
        app.MapGet("/", http => http.Response.WriteAsJsonAsync(Root.At(http.Request.PathBase))).WithDisplayName(OpenToAll);
        app.MapPost("/apps/", (HttpContext http) => Refusal.Invalid(new FieldErrors(http) { ["name"] = ["must not be empty"] }))
            .WithMetadata(new DeclaredQuery([], isNamedByEndpoint: true)).ExcludeFromDescription();
        app.MapWolverineEndpoints(x =>
        {
            x.WarmUpRoutes = RouteWarmup.Eager;
            x.AddPolicy<QueryPolicy>();
            x.AddParameterHandlingStrategy<FieldErrorsParameter>();
        });
    }

    /// <summary>A host that cannot listen where it is told to says so in one line.</summary>
    public static async Task ServeAsync(this WebApplication app)
    {
        var (started, urls) = (app.Lifetime.ApplicationStarted, app.Configuration[WebHostDefaults.ServerUrlsKey]);
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

    private static Task Describe(HttpContext http, Microsoft.Extensions.Diagnostics.HealthChecks.HealthReport report) =>
        http.Response.WriteAsync(report.Entries.Values.FirstOrDefault().Description ?? report.Status.ToString());

    /// <summary>What the root answers: where everything else is.</summary>
    private sealed record Root(string Name, string Docs, string Health)
    {
        public static Root At(PathString prefix) => new("ErrorTracker", $"{prefix}/docs/", $"{prefix}/health");
    }

    /// <summary>RFC 3339 in UTC with a Z, and no more digits than microseconds need.</summary>
    private sealed class UtcTime : JsonConverter<DateTimeOffset>
    {
        public override DateTimeOffset Read(ref Utf8JsonReader reader, Type type, JsonSerializerOptions options) => reader.GetDateTimeOffset();

        public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) =>
            writer.WriteStringValue(Instant.ToText(value));
    }
}
