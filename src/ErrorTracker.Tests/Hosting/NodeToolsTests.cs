namespace ErrorTracker.Tests.Hosting;

/// <summary>
/// What tools of others make of the OpenAPI document: a linter, and two generators of clients in TypeScript.
/// </summary>
[Collection(nameof(OnPostgres))]
public sealed class NodeToolsTests(SharedApi shared)
{
    private static readonly NodePackages Tools = new("Hosting/node");

    private static readonly (string, string)[] Quiet =
        [("REDOCLY_TELEMETRY", "off"), ("REDOCLY_SUPPRESS_UPDATE_NOTICE", "true")];

    [NodeFact]
    public async Task a_linter_finds_nothing()
    {
        await WriteDocumentAsync();
        var (exitCode, output) = await Tools.RunAsync(
            ["node_modules/@redocly/cli/bin/cli.js", "lint", "openapi.json", "--format=json"], Quiet);
        Assert.True(exitCode == 0 && output.Contains("\"warnings\": 0", StringComparison.Ordinal), output);
    }

    [NodeFact]
    public async Task clients_in_typescript_have_right_types()
    {
        await WriteDocumentAsync();
        await RunAsync("node_modules/openapi-typescript/bin/cli.js", "openapi.json", "--output", "generated/paths.ts");
        await RunAsync("node_modules/@hey-api/openapi-ts/bin/run.js", "--file", "openapi-ts.config.mjs");
        await RunAsync("node_modules/typescript/bin/tsc", "--project", ".");
    }

    private async Task WriteDocumentAsync() =>
        await File.WriteAllTextAsync(Tools.PathOf("openapi.json"), await OpenApiFile.AnsweredAsync(shared));

    private static async Task RunAsync(params string[] arguments)
    {
        var (exitCode, output) = await Tools.RunAsync(arguments);
        Assert.True(exitCode == 0, output);
    }
}
