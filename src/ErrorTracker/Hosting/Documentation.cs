using System.Reflection;
using System.Text.Json.Nodes;
using ErrorTracker.Http;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Log;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>Swagger UI at /docs, from the endpoints and their XML comments.</summary>
internal static class Documentation
{
    private const string KeyScheme = "ingest_key", SentryScheme = "sentry_key";

    public static void AddDocumentation(this WebApplicationBuilder builder)
    {
        builder.Services.AddEndpointsApiExplorer();
        builder.Services.AddSwaggerGen(x =>
        {
            x.SwaggerDoc("v1", new OpenApiInfo
            {
                Title = "ErrorTracker",
                Version = "v1",
                Description = "Collects, stores and analyses error events from many applications. Times are RFC 3339 in UTC, windows are half-open: since ≤ received_at < until.",
            });
            x.SupportNonNullableReferenceTypes();
            x.NonNullableReferenceTypesAsRequired();
            x.IncludeXmlComments(Assembly.GetExecutingAssembly());
            const JsonSchemaType AnyOf = JsonSchemaType.Object | JsonSchemaType.String | JsonSchemaType.Null;
            x.MapType<RawJson>(() => new OpenApiSchema { Type = AnyOf, AdditionalPropertiesAllowed = true });
            x.AddSecurityDefinition(KeyScheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = NativeIntake.KeyHeader,
                Description = "The ingest_key that registering the application answered.",
            });
            x.AddSecurityDefinition(SentryScheme, new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.ApiKey,
                In = ParameterLocation.Header,
                Name = SentryAuth.Header,
                Description = "As Sentry SDKs send it: `Sentry sentry_version=7, sentry_key=…`, with the ingest_key. Also as Authorization, as sentry_key in the query, or as the dsn in an envelope's header.",
            });
            x.OperationFilter<Contract>();
        });
    }

    public static void UseDocumentation(this WebApplication app)
    {
        app.UseSwagger(x => x.RouteTemplate = "docs/{documentName}/swagger.json");
        app.UseSwaggerUI(x =>
        {
            x.RoutePrefix = "docs";
            x.SwaggerEndpoint("v1/swagger.json", "ErrorTracker");
        });
    }

    /// <summary>What types cannot tell of a call: how it may be refused, and what it reads from the body by itself.</summary>
    private sealed class Contract : IOperationFilter
    {
        private static readonly Dictionary<int, string> Meanings = new()
        {
            [400] = "Something is invalid; `errors` names each field.",
            [401] = "The ingest key is missing.",
            [403] = "The key does not open this application, or there is none.",
            [404] = "There is no such thing.",
            [409] = "It is taken, or was sent before with other content.",
            [413] = "The body is too large.",
            [415] = "The body is of another media type or encoding than the call takes.",
            [429] = "A limit is reached, which `detail` names, or the application's share of the queue is used up; nothing was stored. "
                + "Try again after `Retry-After` seconds.",
            [503] = "It cannot be done now, and nothing was; try again after `Retry-After` seconds.",
        };

        private static readonly Dictionary<string, string> OfPaths = new()
        {
            ["app_id"] = "The application's id: a positive integer.",
            ["name"] = "1 to 100 characters, none of them a control character; unique.",
            ["key_id"] = "The key's id, as listed.",
            ["monitor"] = "The scheduled job's name.",
            ["key"] = "The ingest key.",
            ["id"] = "The event's id, as answered when it was sent, or the sender's event_id: a UUID with dashes or without, in any case.",
        };

        public void Apply(OpenApiOperation operation, OperationFilterContext context)
        {
            var method = context.MethodInfo;
            operation.Tags = new HashSet<OpenApiTagReference> { new(method.DeclaringType!.Namespace!.Split('.')[^1]) };
            operation.Description = null;
            foreach (var parameter in operation.Parameters ?? [])
                if (parameter is { In: ParameterLocation.Path, Name: { } name }) parameter.Description = OfPaths[name];

            // Wolverine assumes answers of its own for an endpoint that returns IResult.
            operation.Responses ??= [];
            var declared = method.GetCustomAttributes<ProducesResponseTypeAttribute>().Select(a => a.StatusCode.ToString());
            foreach (var assumed in operation.Responses.Keys.Except(declared).ToList()) operation.Responses.Remove(assumed);
            context.SchemaRepository.Schemas.Remove(nameof(IResult));

            var refusals = method.GetCustomAttribute<RefusesAttribute>() ?? new();
            foreach (var status in refusals.Statuses.Append(StatusCodes.Status503ServiceUnavailable).Distinct()) // the database may be away
                operation.Responses[status.ToString()] = new OpenApiResponse
                {
                    Description = Meanings[status],
                    Content = new Dictionary<string, IOpenApiMediaType> { [refusals.MediaType] = new OpenApiMediaType() },
                };

            var bodies = method.GetCustomAttributes<IngestsAttribute>().ToList();
            if (bodies.Count == 0) return;
            var contents = new Dictionary<string, IOpenApiMediaType>();
            foreach (var body in bodies.Where(body => body.MediaType.Length > 0))
            {
                var example = body.MediaType == MediaType.Json ? JsonNode.Parse(body.Example) : JsonValue.Create(body.Example);
                contents[body.MediaType] = new OpenApiMediaType { Example = example };
            }
            if (contents.Count > 0)
                operation.RequestBody = new OpenApiRequestBody { Required = true, Content = contents };
            operation.Security = [new() { [new OpenApiSecuritySchemeReference(method.DeclaringType!.Namespace == typeof(SentryAuth).Namespace ? SentryScheme : KeyScheme, context.Document)] = [] }];
        }
    }
}
