using System.Text.Json.Nodes;
using ErrorTracker.Issues;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>
/// What the parameters of paths and queries are. Endpoints take them as text, so that one answer can name each that is
/// wrong; here they are numbers, times and lists, with their limits. A test tries the limits.
/// </summary>
internal static class ContractParameters
{
    private static readonly Dictionary<string, string> OfPaths = new()
    {
        ["app_id"] = "The application's id.",
        ["name"] = "The name of the new application: 1 to 100 characters, no control character among them; unique.",
        ["key_id"] = "The key's id, as listed.",
        ["monitor"] = "The scheduled job's name.",
        ["key"] = "The ingest key.",
        ["number"] = "The issue's number.",
        ["id"] = "The event's id, as answered when it was sent, or the sender's event_id; with dashes or without.",
    };

    private static readonly string[] OfWindows = ["since", "until"];

    /// <summary>The statistics and the loss report need a window; lists and an issue can do without.</summary>
    private static readonly string[] WithoutWindow = ["ListEvents", "ListIssues", "GetIssue", "ListIssueEvents"];

    /// <summary>What browsers' reports are kept with, which SDKs say in the event itself.</summary>
    private static readonly (string Name, string Description)[] OfReports =
        [("sentry_release", "The release that the page belongs to."), ("sentry_environment", "Where the page runs.")];

    public static void Describe(OpenApiOperation operation, OperationFilterContext context)
    {
        foreach (var parameter in (operation.Parameters ?? []).OfType<OpenApiParameter>())
        {
            var name = parameter.Name!;
            parameter.Description = parameter.In == ParameterLocation.Path
                ? OfPath(operation.OperationId!, name)
                : XmlDocs.OfParameter(context.MethodInfo.DeclaringType!, name);
            parameter.Schema = SchemaOf(operation.OperationId!, name, context);
            if (OfWindows.Contains(name)) parameter.Required = !WithoutWindow.Contains(operation.OperationId);
        }
    }

    private static string OfPath(string operation, string name) => (operation, name) switch
    {
        ("GetGroupingChange", "id") => "The id of the preview, adoption or withdrawal, as answered when it was begun.",
        _ => OfPaths[name],
    };

    public static void AddThoseOfReports(OpenApiOperation operation)
    {
        operation.Parameters ??= [];
        foreach (var (name, description) in OfReports)
            operation.Parameters.Add(new OpenApiParameter
            {
                Name = name,
                In = ParameterLocation.Query,
                Description = description,
                Schema = Text(),
            });
    }

    private static IOpenApiSchema SchemaOf(string operation, string name, OperationFilterContext context) =>
        (operation, name) switch
        {
            (_, "level") => ContractLists.Level.In(context.SchemaRepository.Schemas),
            (_, "interval") => ContractLists.Interval.In(context.SchemaRepository.Schemas),
            (_, "state") => ContractLists.AskedIssues.In(context.SchemaRepository.Schemas),
            (_, "sort") => ContractLists.IssueOrder.In(context.SchemaRepository.Schemas),
            (_, "since" or "until") => Text("date-time"),
            (_, "id" or "key_id") => Text("uuid"),
            (_, "app_id" or "number" or "issue") => Whole(least: 1),
            (_, "offset") => Whole(least: 0, otherwise: 0),
            ("ListApplications", "limit") => Whole(least: 1, most: 1_000),
            ("ListApplications", "after") => Whole(least: 0, otherwise: 0),
            ("GetTopMessages", "limit") => Whole(least: 1, most: 100, otherwise: 10),
            ("ListIssues" or "ListReleases", "limit") => Whole(least: 1, most: 100, otherwise: 20),
            (_, "limit") => Whole(least: 1, most: 50, otherwise: 20),
            (_, "query") => new OpenApiSchema { Type = JsonSchemaType.String, MaxLength = IssueQuery.Longest },
            (_, "fill") => new OpenApiSchema { Type = JsonSchemaType.Boolean, Default = JsonValue.Create(false) },
            (_, "name") => new OpenApiSchema { Type = JsonSchemaType.String, MinLength = 1, MaxLength = 100 },
            (_, "after" or "cursor" or "tz" or "monitor" or "key") => Text(),
            _ => throw new InvalidOperationException($"Say in {nameof(ContractParameters)} what {name} of {operation} is."),
        };

    private static OpenApiSchema Text(string? format = null) => new() { Type = JsonSchemaType.String, Format = format };

    private static OpenApiSchema Whole(int least, int? most = null, int? otherwise = null) => new()
    {
        Type = JsonSchemaType.Integer,
        Format = "int32",
        Minimum = $"{least}",
        Maximum = most is null ? null : $"{most}",
        Default = otherwise is null ? null : JsonValue.Create(otherwise.Value),
    };
}
