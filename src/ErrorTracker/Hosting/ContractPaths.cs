using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>
/// What concerns the document as a whole: paths that OpenAPI cannot tell apart, health, tags, and an order that stays
/// the same.
/// </summary>
internal sealed class ContractPaths : IDocumentFilter
{
    public const string OperationTag = "Operation";

    private const string Registration = "/apps/{name}", Reading = "/apps/{app_id}", Both = "/apps/{app}", App = "app";

    private static readonly (string Name, string Description)[] Tags =
    [
        ("Applications", "Who sends errors, and with which keys."),
        ("Sending", "Errors, one by one or in batches, in this API's own format."),
        ("Sentry", "What Sentry's SDKs, browsers and crash reporters send, by their own protocols."),
        ("Events", "The errors themselves."),
        ("Statistics", "How many errors a window of time holds, and what became of all that was sent."),
        ("Issues", "Which errors are the same, and what people have decided about them."),
        (OperationTag, "How the server is doing."),
    ];

    public void Apply(OpenApiDocument document, DocumentFilterContext context)
    {
        ShareOnePath(document);
        AddHealth(document);
        var tags = Tags.Select(tag => new OpenApiTag { Name = tag.Name, Description = tag.Description });
        document.Tags = new HashSet<OpenApiTag>(tags);
        var paths = document.Paths.OrderBy(path => path.Key, StringComparer.Ordinal).ToList();
        document.Paths = [];
        foreach (var (path, item) in paths) document.Paths.Add(path, item);
    }

    /// <summary>
    /// Registering takes a name where reading takes an id. To OpenAPI these are the same path, so it is written once.
    /// </summary>
    private static void ShareOnePath(OpenApiDocument document)
    {
        var shared = (OpenApiPathItem)document.Paths[Reading];
        foreach (var (method, operation) in document.Paths[Registration].Operations!)
            shared.AddOperation(method, operation);
        document.Paths.Remove(Reading);
        document.Paths.Remove(Registration);
        document.Paths.Add(Both, shared);
        shared.Description = "GET takes an application's id here. POST takes the name of one that is new.";
        foreach (var operation in shared.Operations!.Values)
            foreach (var parameter in operation.Parameters!.OfType<OpenApiParameter>())
                if (parameter.In == ParameterLocation.Path) parameter.Name = App;
    }

    /// <summary>Health checks are ASP.NET's, which tells nothing of them.</summary>
    private static void AddHealth(OpenApiDocument document)
    {
        document.Paths.Add("/health/live", Health(document, "CheckLive", "Whether the process answers", "Healthy"));
        document.Paths.Add("/health/ready", Health(
            document,
            "CheckReady",
            "Whether events can be committed, and the counters have folded what the log held at the start",
            "Healthy, or why it is ready although the counters wait"));
    }

    private static OpenApiPathItem Health(OpenApiDocument document, string id, string summary, string healthy)
    {
        var needsNoKey = new OpenApiSecurityRequirement();
        var operation = new OpenApiOperation
        {
            OperationId = id,
            Summary = summary,
            Description = $"{summary}. Needs no token.",
            Tags = new HashSet<OpenApiTagReference> { new(OperationTag, document) },
            Security = [needsNoKey],
            Responses = new OpenApiResponses { ["200"] = Text(healthy), ["503"] = Text("Why it is not") },
        };
        var item = new OpenApiPathItem();
        item.AddOperation(HttpMethod.Get, operation);
        return item;
    }

    private static OpenApiResponse Text(string description)
    {
        var text = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String } };
        var content = new Dictionary<string, IOpenApiMediaType> { ["text/plain"] = text };
        return new() { Description = $"{description}.", Content = content };
    }
}
