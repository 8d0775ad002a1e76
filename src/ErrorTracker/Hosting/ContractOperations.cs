using System.Reflection;
using System.Text.Json.Nodes;
using ErrorTracker.Applications;
using ErrorTracker.Events;
using ErrorTracker.Http;
using ErrorTracker.Intake;
using ErrorTracker.Intake.Native;
using ErrorTracker.Intake.Sentry;
using ErrorTracker.Issues;
using ErrorTracker.Projections;
using ErrorTracker.Statistics;
using Microsoft.AspNetCore.Mvc;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>
/// What types cannot tell of a call: its tag, who may make it, what it reads from the body by itself, and how it may be
/// refused.
/// </summary>
internal sealed class ContractOperations : IOperationFilter
{
    private const string Sending = "Sending";

    /// <summary>Stable names, whatever rooms are called.</summary>
    private static readonly Dictionary<string, string> Tags = new()
    {
        [typeof(KeyRing).Namespace!] = "Applications",
        [typeof(SendEvent).Namespace!] = Sending,
        [typeof(SendEnvelope).Namespace!] = "Sentry",
        [typeof(EventItem).Namespace!] = "Events",
        [typeof(ByLevel).Namespace!] = "Statistics",
        [typeof(MergeIssues).Namespace!] = "Issues",
        [typeof(ReadProjections).Namespace!] = ContractPaths.OperationTag,
    };

    private static readonly string[] OfReports = ["SendSecurityReport", "SendCspReport", "SendNetworkErrorReport"];

    public void Apply(OpenApiOperation operation, OperationFilterContext context)
    {
        var tag = Tags[context.MethodInfo.DeclaringType!.Namespace!];
        operation.Tags = new HashSet<OpenApiTagReference> { new(tag, context.Document) };
        SplitSummary(operation);
        ContractParameters.Describe(operation, context);
        if (OfReports.Contains(operation.OperationId)) ContractParameters.AddThoseOfReports(operation);
        var bodies = context.MethodInfo.GetCustomAttributes<BodyAttribute>().ToList();
        var isIngest = bodies.Exists(body => body is IngestsAttribute);
        if (bodies.Exists(body => body.MediaType.Length > 0)) operation.RequestBody = BodyOf(bodies, context);
        operation.Security = SecurityOf(operation, isIngest, context.Document);
        KeepDeclaredAnswers(operation, context);
        ContractAnswers.Describe(operation, isIngest, context);
    }

    /// <summary>A first sentence that stands alone, and all of them as the description.</summary>
    private static void SplitSummary(OpenApiOperation operation)
    {
        var comment = XmlDocs.OneLine(operation.Summary ?? "");
        var end = comment.IndexOfAny(['.', ':', ';']);
        operation.Summary = end > 0 ? comment[..end] : comment;
        operation.Description = comment;
    }

    private static OpenApiRequestBody BodyOf(List<BodyAttribute> bodies, OperationFilterContext context) => new()
    {
        Required = true,
        Content = bodies.ToDictionary(
            body => body.MediaType,
            IOpenApiMediaType (BodyAttribute body) =>
                new OpenApiMediaType { Schema = SchemaOf(body, context), Example = ExampleOf(body) }),
    };

    private static IOpenApiSchema SchemaOf(BodyAttribute body, OperationFilterContext context) =>
        body.Type is { } type
            ? context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository)
            : BytesOrText(body.MediaType);

    /// <summary>NDJSON has no schema in OpenAPI 3.0: its lines have.</summary>
    private static OpenApiSchema BytesOrText(string mediaType)
    {
        var isText = mediaType == MediaType.Lines || mediaType.StartsWith("text/", StringComparison.Ordinal);
        return new() { Type = JsonSchemaType.String, Format = isText ? null : "binary" };
    }

    /// <summary>A form with a file has no text.</summary>
    private static JsonNode? ExampleOf(BodyAttribute body) => body switch
    {
        { Type: null } => JsonValue.Create(body.Example),
        { MediaType: "multipart/form-data" } => null,
        _ => JsonNode.Parse(body.Example),
    };

    /// <summary>
    /// One of these opens the call. Of an envelope the key may be in its body; a key in the path is a parameter. A read
    /// token is asked for only where the operator has set one.
    /// </summary>
    private static List<OpenApiSecurityRequirement> SecurityOf(
        OpenApiOperation operation, bool isIngest, OpenApiDocument document)
    {
        var needsNone = new OpenApiSecurityRequirement();
        if (!isIngest) return [Of(Documentation.ReadToken), needsNone];
        if (operation.Parameters?.Any(parameter => parameter.Name == "key") == true) return [needsNone];
        if (operation.Tags!.Single().Reference.Id == Sending) return [Of(Documentation.IngestKey)];
        List<OpenApiSecurityRequirement> ofSdks = [Of(Documentation.SentryKey), Of(Documentation.SentryKeyInQuery)];
        return operation.OperationId == "SendEnvelope" ? [.. ofSdks, needsNone] : ofSdks;

        OpenApiSecurityRequirement Of(string scheme) =>
            new() { [new OpenApiSecuritySchemeReference(scheme, document)] = [] };
    }

    /// <summary>Wolverine assumes answers of its own for what an endpoint may return.</summary>
    private static void KeepDeclaredAnswers(OpenApiOperation operation, OperationFilterContext context)
    {
        operation.Responses ??= [];
        var declared =
            from answer in context.MethodInfo.GetCustomAttributes<ProducesResponseTypeAttribute>()
            select $"{answer.StatusCode}";
        foreach (var assumed in operation.Responses.Keys.Except(declared).ToList()) operation.Responses.Remove(assumed);
        foreach (var assumed in new[] { nameof(IResult), nameof(ProblemDetails), nameof(HttpValidationProblemDetails) })
            context.SchemaRepository.Schemas.Remove(assumed);
    }
}
