using System.Text.Json.Nodes;

namespace ErrorTracker.Tests.Hosting;

/// <summary>The OpenAPI document as the server answers it, and as it is in <c>docs/</c>.</summary>
internal static class OpenApiFile
{
    public const string Address = "/docs/v1/swagger.json";

    private static readonly string InDocs = Path.Combine(SourceTree.Root, "docs", "openapi.json");

    /// <summary>It is the same whatever a host is set to, but for its own path prefix.</summary>
    public static async Task<string> AnsweredAsync(SharedApi shared)
    {
        using var http = shared.Api.Host.Server.CreateClient();
        return (await http.GetStringAsync(Address)).ReplaceLineEndings("\n") + "\n";
    }

    public static Task<string> ReadAsync() => File.ReadAllTextAsync(InDocs);

    public static Task WriteAsync(string document) => File.WriteAllTextAsync(InDocs, document);

    public static IEnumerable<Operation> OperationsOf(string document) =>
        from path in JsonNode.Parse(document)!["paths"]!.AsObject()
        from member in path.Value!.AsObject()
        where member.Value is JsonObject
        select new Operation(path.Key, member.Key.ToUpperInvariant(), member.Value!);
}

/// <summary>A call of the document.</summary>
internal sealed record Operation(string Path, string Method, JsonNode Node)
{
    public string Id => Node["operationId"]!.GetValue<string>();

    public string Tag => Node["tags"]![0]!.GetValue<string>();

    public IEnumerable<JsonNode> Parameters => Node["parameters"]?.AsArray().OfType<JsonNode>() ?? [];

    public bool IsOf(HttpRequestMessage request) =>
        request.Method.Method == Method && Matches(request.RequestUri!.AbsolutePath);

    private bool Matches(string path)
    {
        var parts = path.Split('/');
        var template = Path.Split('/');
        return parts.Length == template.Length
            && template.Zip(parts).All(pair => pair.First is ['{', ..] || pair.First == pair.Second);
    }
}
