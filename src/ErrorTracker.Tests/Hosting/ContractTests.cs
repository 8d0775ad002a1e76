using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ErrorTracker.Log;

namespace ErrorTracker.Tests.Hosting;

/// <summary>
/// The OpenAPI document is the file in <c>docs/</c>, and what it says of parameters is what the server does.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed partial class ContractTests(SharedApi shared)
{
    private const string Rewrite = "ERRORTRACKER_REWRITE_OPENAPI";

    private const string Window = "since=2026-01-01T00:00:00Z&until=2026-01-02T00:00:00Z";

    /// <summary>Programs call them by these.</summary>
    private static readonly string[] Names =
        ["ListApplications", "GetFeed", "RegisterApplication", "SendBatch", "SendEnvelope", "SendEvent"];

    [Fact]
    public async Task the_document_is_the_file()
    {
        var answered = await OpenApiFile.AnsweredAsync(shared);
        if (Environment.GetEnvironmentVariable(Rewrite) is not null) await OpenApiFile.WriteAsync(answered);
        var file = await OpenApiFile.ReadAsync();
        Assert.True(file == answered,
            $"docs/openapi.json differs from what the server answers, first at: {FirstDifference(file, answered)}\n"
            + $"If the server is right, write it anew: {Rewrite}=1 ./test --filter {nameof(ContractTests)}");
    }

    [Fact]
    public async Task each_call_has_a_name_a_tag_and_says_who_may_make_it()
    {
        var document = await OpenApiFile.AnsweredAsync(shared);
        var operations = OpenApiFile.OperationsOf(document).ToList();
        var tags = JsonNode.Parse(document)!["tags"]!.AsArray().Select(tag => Text(tag!["name"])).ToList();
        Assert.All(operations, call => Assert.Matches(Name(), call.Id));
        Assert.All(operations, call => Assert.Contains(call.Tag, tags));
        Assert.All(operations, call => Assert.NotEmpty(Text(call.Node["summary"])));
        Assert.All(operations, call => Assert.NotEmpty(call.Node["security"]!.AsArray()));
        var parameters = operations.SelectMany(call => call.Parameters);
        Assert.All(parameters, parameter => Assert.NotEmpty(Text(parameter["description"])));
        Assert.Equal(operations.Count, operations.Select(call => call.Id).Distinct().Count());
        Assert.Equal([], Names.Except(operations.Select(call => call.Id)));
    }

    /// <summary>The version of a document is the one that the host tells when it starts.</summary>
    [Fact]
    public async Task the_document_has_the_version_of_the_host()
    {
        var document = JsonNode.Parse(await OpenApiFile.AnsweredAsync(shared))!;
        var version = typeof(Program).Assembly.GetName().Version!;
        Assert.Equal($"{version.Major}.{version.Minor}.{version.Build}", Text(document["info"]!["version"]));
        Assert.Equal("/", Text(document["servers"]![0]!["url"]));
    }

    [Fact]
    public async Task levels_are_those_that_the_log_knows()
    {
        var document = JsonNode.Parse(await OpenApiFile.AnsweredAsync(shared))!;
        var levels = document["components"]!["schemas"]!["Level"]!["enum"]!.AsArray();
        Assert.Equal(Levels.All, levels.Select(Text));
    }

    /// <summary>
    /// Of each parameter what is within its schema is taken, and what is beyond is named as wrong. One that is not
    /// required may be absent.
    /// </summary>
    [Fact]
    public async Task parameters_are_what_the_server_takes()
    {
        var document = await OpenApiFile.AnsweredAsync(shared);
        var sender = await shared.Api.RegisterAsync();
        var receipt = await shared.Api.ReportAsync(sender);
        await shared.Api.FoldedAsync(); // so that there is an issue
        var preview = await PreviewAsync(sender.Id);
        var reads = OpenApiFile.OperationsOf(document)
            .Where(call => call.Method == "GET" && call.Tag is not ("Sentry" or "Operation"));
        foreach (var call in reads)
        {
            var path = call.Path.Replace("{app_id}", $"{sender.Id}").Replace("{app}", $"{sender.Id}")
                .Replace("changes/{id}", $"changes/{preview}").Replace("{id}", Text(receipt, "id")).Replace("{number}", "1");
            var window = call.Parameters.Any(IsRequired) ? Window : "";
            await shared.Api.GetAsync($"{path}?{window}");
            if (window.Length > 0) Assert.Equal(["since", "until"], (await FaultsOfAsync(path)).Order());

            foreach (var parameter in call.Parameters.Where(parameter => Text(parameter["in"]) == "query"))
                await TryAsync(path, Text(parameter["name"]), Resolve(parameter["schema"]!, document), window);
        }
        await shared.Api.GetAsync("/apps/0", expected: 400);
    }

    private async Task<string> PreviewAsync(int application)
    {
        var begun = await shared.Api.Host.Scenario(call =>
        {
            call.Post.Json(new { rules = new { places = 1 } }).ToUrl($"/apps/{application}/grouping/preview");
            call.StatusCodeShouldBe(202);
        });
        return Text(begun.ReadAsJson<JsonElement>(), "id");
    }

    private async Task TryAsync(string path, string name, JsonNode schema, string window)
    {
        var (taken, refused) = Tries(schema);
        var isOfWindow = window.Contains($"{name}=", StringComparison.Ordinal);
        var rest = isOfWindow ? "" : $"&{window}";
        foreach (var value in refused) Assert.Contains(name, await FaultsOfAsync($"{path}?{name}={value}{rest}"));
        if (isOfWindow) return; // a window as a whole was taken
        foreach (var value in taken) await shared.Api.GetAsync($"{path}?{name}={value}{rest}");
    }

    private static bool IsRequired(JsonNode parameter) =>
        Text(parameter["in"]) == "query" && parameter["required"]?.GetValue<bool>() == true;

    private async Task<IEnumerable<string>> FaultsOfAsync(string url) =>
        (await shared.Api.GetAsync(url, expected: 400)).GetProperty("errors").EnumerateObject().Select(fault => fault.Name);

    private static (string[] Taken, string[] Refused) Tries(JsonNode schema)
    {
        var type = Text(schema["type"]);
        if (schema["enum"] is { } list) return ([.. list.AsArray().Select(Text)], ["neither", ""]);
        if (type == "boolean") return (["true", "false"], ["1", ""]);
        if (type == "integer") return TriesOfNumber(schema);
        if (schema["format"] is { } format && Text(format) == "date-time")
            return (["2026-01-31T12:34:56.789Z"], ["yesterday", ""]);
        return ([], []);
    }

    private static (string[] Taken, string[] Refused) TriesOfNumber(JsonNode schema)
    {
        var least = schema["minimum"]!.GetValue<int>();
        var most = schema["maximum"]?.GetValue<int>() ?? int.MaxValue;
        return ([$"{least}", $"{most}"], [$"{least - 1L}", $"{most + 1L}", "1.5", "many", ""]);
    }

    private static string Text(JsonNode? node) => node!.GetValue<string>();

    private static string Text(JsonElement answer, string member) => answer.GetProperty(member).GetString()!;

    private static JsonNode Resolve(JsonNode schema, string document) =>
        schema["$ref"]?.GetValue<string>() is { } reference
            ? JsonNode.Parse(document)!["components"]!["schemas"]![reference.Split('/')[^1]]!
            : schema;

    private static string FirstDifference(string file, string answered)
    {
        var lines = file.Split('\n').Zip(answered.Split('\n')).Index().Where(pair => pair.Item.First != pair.Item.Second);
        return lines.FirstOrDefault() is { Item: var (inFile, inAnswer), Index: var line } && inFile is not null
            ? $"line {line + 1}: {inFile.Trim()} | {inAnswer.Trim()}"
            : "its end";
    }

    [GeneratedRegex("^[A-Z][a-z]+([A-Z][a-z]+)+$|^CheckIn$")]
    private static partial Regex Name();
}
