using System.Reflection;
using System.Text.Json.Nodes;
using ErrorTracker.Http;
using ErrorTracker.Intake.Sentry;
using Microsoft.OpenApi;
using Swashbuckle.AspNetCore.SwaggerGen;

namespace ErrorTracker.Hosting;

/// <summary>How a call may be refused, and the headers of its answers.</summary>
internal static class ContractAnswers
{
    private static readonly Dictionary<int, string> Meanings = new()
    {
        [400] = "Something is invalid; `errors` names each field.",
        [401] = "The ingest key is missing.",
        [403] = "The key does not open this application, or there is none.",
        [404] = "There is no such thing.",
        [409] = "It is taken, was sent before with other content, or has changed since; `detail` says which.",
        [413] = "The body is too large.",
        [415] = "The body is of another media type or encoding than the call takes.",
        [429] = "A limit is reached, which `detail` names, or the application's share of the queue is used up; nothing "
            + "was stored. Try again after `Retry-After` seconds.",
        [503] = "It cannot be done now, and nothing was; try again after `Retry-After` seconds.",
    };

    private const string NoToken = "The operator has set a read token, which is missing or wrong.";

    private const string AChange = "/apps/1/grouping/changes/019c1234-5678-7abc-9def-0123456789ab";

    public static void Describe(OpenApiOperation operation, bool isIngest, OperationFilterContext context)
    {
        var refusals = context.MethodInfo.GetCustomAttribute<RefusesAttribute>() ?? new();
        var isForSdks = refusals.MediaType == "application/json";
        List<int> statuses = [.. refusals.Statuses, StatusCodes.Status503ServiceUnavailable]; // a database may be away
        if (!isIngest) statuses.Add(StatusCodes.Status401Unauthorized);
        foreach (var status in statuses.Distinct().Order())
            operation.Responses![$"{status}"] = Refusal(status, refusals, isForSdks, isIngest, context);

        foreach (var (status, answer) in operation.Responses!)
            foreach (var (name, header) in HeadersOf(status, operation.OperationId!, isForSdks, isIngest))
            {
                var response = (OpenApiResponse)answer;
                response.Headers ??= new Dictionary<string, IOpenApiHeader>();
                response.Headers[name] = header;
            }
    }

    private static OpenApiResponse Refusal(
        int status, RefusesAttribute refusals, bool isForSdks, bool isIngest, OperationFilterContext context)
    {
        var type = isForSdks ? typeof(SentryProblem) : refusals.Type ?? ProblemOf(status);
        var schema = context.SchemaGenerator.GenerateSchema(type, context.SchemaRepository);
        var content = new OpenApiMediaType { Schema = schema };
        return new()
        {
            Description = status == 401 && !isIngest ? NoToken : Meanings[status],
            Content = new Dictionary<string, IOpenApiMediaType> { [refusals.MediaType] = content },
        };
    }

    private static Type ProblemOf(int status) =>
        status == 400 ? typeof(ContractProblems.ValidationProblem) : typeof(ContractProblems.Problem);

    private static IEnumerable<(string Name, OpenApiHeader Header)> HeadersOf(
        string status, string operation, bool isForSdks, bool isIngest)
    {
        if (status == "201") yield return ("Location", Text("Where it can be read.", "/apps/1"));
        if (status == "202") yield return ("Location", Text("Where its progress can be read.", AChange));
        if (status is "429" or "503")
            yield return ("Retry-After", Seconds("After so many seconds it is worth another try."));
        if (status == "401" && !isIngest)
            yield return ("WWW-Authenticate", Text("How to show the token.", "Bearer"));
        if (status == "200" && operation == "ListApplications")
            yield return ("Link", Text("Where there are more (RFC 8288).", "<?limit=1000&after=1000>; rel=\"next\""));
        if (!isForSdks) yield break;
        if (status[0] is '4' or '5')
            yield return (SentryRefusal.ErrorHeader, Text("The same as `detail`.", example: null));
        if (status[0] == '2' || status == "429")
            yield return (SentryRefusal.LimitsHeader, Text(
                "What is asked not to be sent, and for how many seconds: seconds, categories, scope, reason.",
                "3600:transaction;span:project:not_kept"));
    }

    private static OpenApiHeader Text(string description, string? example) => new()
    {
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
        Example = example is null ? null : JsonValue.Create(example),
    };

    private static OpenApiHeader Seconds(string description) => new()
    {
        Description = description,
        Schema = new OpenApiSchema { Type = JsonSchemaType.Integer, Format = "int32", Minimum = "1" },
    };
}
