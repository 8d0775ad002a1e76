using ErrorTracker.Commands;
using ErrorTracker.Tests.Hosting;
using ErrorTracker.Tests.Issues;

namespace ErrorTracker.Tests.Commands;

[Collection(nameof(OnAnotherPostgres))]
public sealed class GroupingCommandsTests(SharedApi shared) : IDisposable
{
    private readonly string _file = Path.GetTempFileName();

    public void Dispose() => File.Delete(_file);

    [Fact]
    public async Task rules_are_previewed_by_a_process_and_adopted_and_withdrawn_beside_a_host()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        var app = await SomeIssues.AddAsync(api, count: 3);
        await WriteAsync("""{"fingerprints": [{"match": {"message": "*o*"}, "parts": ["with an o"]}]}""");

        string[] preview = ["grouping", "preview", "--app", $"{app.Id}", "--rules", _file];
        var (exitCode, output) = await HostProcess.RunAsync(preview, ("ConnectionStrings__ErrorTracker", connectionString));
        Assert.Equal(0, exitCode);
        Assert.Contains("Counted 3 events: 1 would be in another issue.", output);
        Assert.Contains("1 stay, 1 merged, 0 split, 0 of these in conflict", output);
        Assert.Contains("2 (1), 3 (1)", output);
        Assert.Equal("g1", await VersionAsync());

        Assert.Equal(0, await RunAsync(api, "adopt", "--app", $"{app.Id}", "--rules", _file));
        Assert.Equal("g1.1", await VersionAsync());
        Assert.Equal(0, await RunAsync(api, "show", "--app", $"{app.Id}"));
        Assert.Equal(0, await RunAsync(api, "withdraw", "--app", $"{app.Id}"));
        Assert.Equal("g1", await VersionAsync());

        async Task<string?> VersionAsync() =>
            (await api.GetAsync($"/apps/{app.Id}/grouping")).GetProperty("version").GetString();
    }

    [Fact]
    public async Task faults_of_rules_are_named_by_exit_code_1_and_what_is_not_there_by_2()
    {
        var sender = await shared.Api.RegisterAsync();
        string[] adopt = ["adopt", "--app", $"{sender.Id}", "--rules", _file];
        await WriteAsync("""{"places": 0, "wrappers": "x"}""");
        Assert.Equal(1, await RunAsync(shared.Api, adopt));
        await WriteAsync("places: 3");
        Assert.Equal(1, await RunAsync(shared.Api, adopt));
        Assert.Equal(2, await RunAsync(shared.Api, "adopt", "--app", $"{sender.Id}", "--rules", _file + ".absent"));
        Assert.Equal(2, await RunAsync(shared.Api, "adopt", "--app", $"{int.MaxValue}", "--rules", _file));
        Assert.Equal(2, await RunAsync(shared.Api, "withdraw", "--app", $"{sender.Id}"));
    }

    private Task WriteAsync(string rules) => File.WriteAllTextAsync(_file, rules);

    /// <summary>In this process, on the services of a host that runs already.</summary>
    private static async Task<int> RunAsync(TestApi api, params string[] command)
    {
        var invocation = CommandLine.Read(["grouping", .. command]);
        return invocation.Run is { } run ? await run(api.Host) : CommandLine.Misused;
    }
}
