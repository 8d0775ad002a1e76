using System.Reflection;
using System.Runtime.Loader;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using NJsonSchema;
using NSwag;
using NSwag.CodeGeneration.CSharp;

namespace ErrorTracker.Tests.Hosting;

/// <summary>
/// A client in C# that NSwag generates of the OpenAPI document, with a program that uses it: see RoundTrip.cs. Whatever
/// it is answered is what the document says.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class GeneratedClientTests(SharedApi shared)
{
    private static readonly string Program = Path.Combine(AppContext.BaseDirectory, "Hosting", "RoundTrip.cs");

    [Fact]
    public async Task a_generated_client_makes_every_call()
    {
        var document = await OpenApiFile.AnsweredAsync(shared);
        var parsed = await OpenApiDocument.FromJsonAsync(document);
        var assembly = Compile(Generate(parsed), await File.ReadAllTextAsync(Program));
        using var watch = new Watch(shared.Api.Host.Server.CreateHandler());
        using var http = new HttpClient(watch) { BaseAddress = shared.Api.Host.Server.BaseAddress };

        var run = assembly.GetType("Generated.RoundTrip")!.GetMethod("RunAsync")!;
        await (Task)run.Invoke(null, [http, "generated-" + Guid.NewGuid().ToString("N")])!;

        CloseSchemas(parsed);
        var calls = OpenApiFile.OperationsOf(document).ToList();
        var made = watch.Answers.ToLookup(answer => calls.Single(call => call.IsOf(answer.Request)).Id);
        Assert.Equal([], calls.Select(call => call.Id).Where(id => !made.Contains(id)));
        var wrong = from call in made from answer in call from fault in FaultsOf(answer, call.Key, parsed) select fault;
        Assert.Equal("", string.Join('\n', wrong.Distinct()));
    }

    private static string Generate(OpenApiDocument document)
    {
        var settings = new CSharpClientGeneratorSettings { ClassName = "ErrorTrackerClient" };
        settings.CSharpGeneratorSettings.Namespace = "Generated";
        return new CSharpClientGenerator(document, settings).GenerateFile();
    }

    private static Assembly Compile(params string[] sources)
    {
        var libraries = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        var compilation = CSharpCompilation.Create(
            "Generated",
            sources.Select(source => CSharpSyntaxTree.ParseText(source)),
            libraries.Select(path => MetadataReference.CreateFromFile(path)),
            new(OutputKind.DynamicallyLinkedLibrary));
        using var compiled = new MemoryStream();
        var result = compilation.Emit(compiled);
        Assert.Equal([], result.Diagnostics.Where(found => found.Severity == DiagnosticSeverity.Error));
        compiled.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(compiled);
    }

    /// <summary>
    /// The status, the media type and each member are those of the document. A member that it does not name is a fault.
    /// </summary>
    private static IEnumerable<string> FaultsOf(Answer answer, string id, OpenApiDocument document)
    {
        var what = $"{id} answers {answer.Status}";
        var operation = document.Operations.Single(call => call.Operation.OperationId == id).Operation;
        if (!operation.ActualResponses.TryGetValue($"{answer.Status}", out var declared)) return [what];
        if (declared.Content.Count == 0) return answer.Body.Length == 0 ? [] : [$"{what} with a body"];
        if (!declared.Content.TryGetValue(answer.MediaType ?? "", out var content))
            return [$"{what} with {answer.MediaType}"];
        if (answer.MediaType == "text/plain") return [];
        return content.Schema.Validate(answer.Body, SchemaType.OpenApi3).Select(fault => $"{what}: {fault}: {answer.Body}");
    }

    private static void CloseSchemas(OpenApiDocument document)
    {
        foreach (var schema in document.Components.Schemas.Values)
            if (schema.Properties.Count > 0) schema.AllowAdditionalProperties = false;
    }

    private sealed record Answer(HttpRequestMessage Request, int Status, string? MediaType, string Body);

    /// <summary>Keeps what is asked and answered.</summary>
    private sealed class Watch(HttpMessageHandler server) : DelegatingHandler(server)
    {
        public List<Answer> Answers { get; } = [];

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken stop)
        {
            var response = await base.SendAsync(request, stop);
            var body = await response.Content.ReadAsStringAsync(stop);
            Answers.Add(new(request, (int)response.StatusCode, response.Content.Headers.ContentType?.MediaType, body));
            return response;
        }
    }
}
