using ErrorTracker.Http;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Wolverine.Http;

namespace ErrorTracker.Hosting;

/// <summary>
/// Hosting owns how the process starts, listens, logs and stops, and what every request passes before it reaches the
/// endpoint that Wolverine found in a room. It may use every room; no room may use it. This file lists the parts of the
/// HTTP side, then the order in which a request passes them.
/// </summary>
internal static class Api
{
    public static void AddApi(this WebApplicationBuilder builder)
    {
        builder.AddWebServer();
        builder.AddJson();
        builder.AddAccess();
        builder.AddDocumentation();
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<Faults>();
        builder.Services.AddSingleton<Readiness>();
        builder.Services.AddHealthChecks().AddCheck<Readiness>("ready");
        builder.Services.AddCors();
        builder.Services.AddWolverineHttp();
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
        app.UseRouting(); // ingest endpoints run here: see StraightToIngest
        app.UseAuthentication();
        app.UseAuthorization();
        app.UseMiddleware<QueryCheck>();
        app.UseDocumentation();
        app.MapRoot();
        app.MapHealth();
        app.MapRegistrationWithoutName();
        app.MapWolverineEndpoints(x =>
        {
            x.WarmUpRoutes = RouteWarmup.Eager;
            x.AddPolicy<QueryPolicy>();
            x.AddPolicy<StraightToIngest>();
            x.AddParameterHandlingStrategy<FieldErrorsParameter>();
        });
    }

    private static void MapHealth(this WebApplication app)
    {
        var alive = new HealthCheckOptions { Predicate = _ => false };
        var ready = new HealthCheckOptions { ResponseWriter = DescribeAsync };
        app.MapHealthChecks("/health/live", alive).AllowAnonymous();
        app.MapHealthChecks("/health/ready", ready).AllowAnonymous();
        app.MapHealthChecks("/health", ready).AllowAnonymous();
    }

    private static Task DescribeAsync(HttpContext http, HealthReport report)
    {
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(report.Entries.Values.FirstOrDefault().Description ?? report.Status.ToString());
    }

    /// <summary>Where a name should be there is none: the endpoint of registration has no route for that.</summary>
    private static void MapRegistrationWithoutName(this WebApplication app) =>
        app.MapPost("/apps/", RefuseWithoutName)
            .WithMetadata(new DeclaredQuery([], isNamedByEndpoint: true))
            .ExcludeFromDescription();

    private static IResult RefuseWithoutName(HttpContext http) =>
        Refusal.Invalid(new FieldErrors(http) { ["name"] = ["must not be empty"] });
}
