using System.Reflection;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Log;
using Microsoft.OpenApi;
using Wolverine.Http;

namespace ErrorTracker.Hosting;

/// <summary>
/// The contract as an OpenAPI document, which generates clients, and Swagger UI at /docs. It is made of the endpoints,
/// their types and their XML comments; what those cannot tell is in the files beside this one: <see
/// cref="ContractOperations"/>, <see cref="ContractParameters"/>, <see cref="ContractSchemas"/> and <see
/// cref="ContractPaths"/>. <c>docs/openapi.json</c> is the same document, held by a test.
/// </summary>
internal static class Documentation
{
    public const string
        IngestKey = "ingest_key",
        ReadToken = "read_token",
        SentryKey = "sentry_key",
        SentryKeyInQuery = "sentry_key_in_query";

    private const string Name = "v1";

    private const string Description =
        """
        Collects, stores and analyses error events from many applications.

        JSON has its members in snake_case. Times are RFC 3339 in UTC. Windows are half-open: `since` ≤ `received_at`
        < `until`. Refusals are RFC 9457 problem details; a 400 names each wrong field under `errors`, unknown query
        parameters included. Answers may get more members, and queries more parameters, within a version. A slash at the
        end of a path makes no difference. Bodies may be compressed: gzip, br or deflate, for SDKs of Sentry also zstd.
        """;

    public static void AddDocumentation(this WebApplicationBuilder builder)
    {
        builder.Services.AddEndpointsApiExplorer();
        builder.Services.AddSwaggerGen(x =>
        {
            var version = Assembly.GetExecutingAssembly().GetName().Version!.ToString(fieldCount: 3);
            x.SwaggerDoc(Name, new() { Title = "ErrorTracker", Version = version, Description = Description });
            x.SupportNonNullableReferenceTypes();
            x.MapType<RawJson>(() => new OpenApiSchema());
            x.IncludeXmlComments(Assembly.GetExecutingAssembly());
            x.CustomOperationIds(call => ((WolverineActionDescriptor)call.ActionDescriptor).Chain.OperationId);
            x.AddSecurityDefinition(IngestKey, InHeader(
                NativeIntake.KeyHeader, "The `ingest_key` that registering the application answered."));
            x.AddSecurityDefinition(SentryKey, InHeader(
                SentryAuth.Header,
                "As Sentry SDKs send it: `Sentry sentry_version=7, sentry_key=…`, with the ingest key. Also as "
                    + "`Authorization`, or as the `dsn` in an envelope's header."));
            x.AddSecurityDefinition(SentryKeyInQuery, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Query,
                Name = SentryAuth.Query,
                Description = "The ingest key, for browsers and whoever else can set no header.",
            });
            x.AddSecurityDefinition(ReadToken, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "The token that the operator has set. Where none is set, nobody is asked for one.",
            });
            x.SchemaFilter<ContractSchemas>();
            x.OperationFilter<ContractOperations>();
            x.DocumentFilter<ContractPaths>();
        });
    }

    public static void UseDocumentation(this WebApplication app)
    {
        app.UseSwagger(x =>
        {
            x.RouteTemplate = "docs/{documentName}/swagger.json";
            x.OpenApiVersion = OpenApiSpecVersion.OpenApi3_0;
            x.PreSerializeFilters.Add((document, request) =>
                document.Servers = [new() { Url = request.PathBase.HasValue ? request.PathBase.Value : "/" }]);
        });
        app.UseSwaggerUI(x =>
        {
            x.RoutePrefix = "docs";
            x.SwaggerEndpoint($"{Name}/swagger.json", "ErrorTracker");
        });
    }

    private static OpenApiSecurityScheme InHeader(string name, string description) => new()
    {
        Type = SecuritySchemeType.ApiKey,
        In = ParameterLocation.Header,
        Name = name,
        Description = description,
    };
}
