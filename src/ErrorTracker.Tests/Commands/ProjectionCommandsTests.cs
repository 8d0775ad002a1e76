using ErrorTracker.Commands;
using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Projections;
using ErrorTracker.Tests.Hosting;
using ErrorTracker.Tests.Issues;

namespace ErrorTracker.Tests.Commands;

[Collection(nameof(OnAnotherPostgres))]
public sealed class ProjectionCommandsTests(SharedApi shared)
{
    private static readonly DateTimeOffset Start = new(2026, 5, 4, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task a_log_that_no_node_folds_is_rebuilt()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString, ("ErrorTracker:Projections", "false"));
        var sender = await api.RegisterAsync();
        await api.StoreAsync(Enumerable.Range(0, 50).Select(i => TestApi.Event(sender, Start.AddMinutes(i))));

        Assert.Equal((0, 50), await VerifyAsync());
        Assert.Equal(0, (await RunProcessAsync(connectionString, "rebuild", "counters")).ExitCode);
        Assert.Equal(50, (await api.GetAsync("/projections"))[0].GetProperty("processed").GetInt32());
        Assert.Equal((50, 0), await VerifyAsync());

        async Task<(long Recounted, long Unfolded)> VerifyAsync()
        {
            var verify = new Verify(api.Database);
            var verdict = await verify.RunAsync(CountersProjection.Definition, null, null, 10, CancellationToken.None);
            return (verdict.Events, verdict.Unfolded);
        }
    }

    [Fact]
    public async Task commands_work_beside_a_host_and_verify_tells_by_its_exit_code()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        var sender = await api.RegisterAsync();
        await api.ReportAsync(sender);
        await api.FoldedAsync();

        Assert.Contains("caught up", (await RunProcessAsync(connectionString, "status")).Output);
        Assert.Equal(0, await RunAsync(api, "rebuild"));
        Assert.Equal(0, await RunAsync(api, "verify"));
        await using (var spoil = api.Database.CreateCommand($"delete from {CounterTables.Current.Messages}"))
            await spoil.ExecuteNonQueryAsync();
        var (exitCode, output) = await RunProcessAsync(connectionString, "verify", "counters");
        Assert.Equal(1, exitCode);
        Assert.Contains("Recounted 1 events", output);
        Assert.Equal(2, await RunAsync(api, "verify", "--since", "yesterday"));
        Assert.Equal(2, await RunAsync(api, "dance"));
    }

    /// <summary>Nothing that counts is touched, and the applications that have no decisions are not looked at.</summary>
    [Fact]
    public async Task what_people_have_merged_is_verified_and_rebuilt_too()
    {
        var connectionString = await shared.Server.NewDatabaseAsync();
        await using var api = await TestApi.StartAsync(connectionString);
        await SomeIssues.AddAsync(api, count: 1);
        var app = await SomeIssues.AddAsync(api, count: 3);
        var merge = new { into = 1, issues = new[] { 2, 3 } };
        await api.Host.Scenario(call => call.Post.Json(merge).ToUrl($"/apps/{app.Id}/issues/merge"));
        await using (var spoil = api.Database.CreateCommand($"delete from {IssueMembers.Table} where number = 3"))
            await spoil.ExecuteNonQueryAsync();

        Assert.Equal(0, await RunAsync(api, "verify", "counters"));
        Assert.Equal(1, await RunAsync(api, "verify"));
        var (exitCode, output) = await RunProcessAsync(connectionString, "verify", "issues");
        Assert.Equal(1, exitCode);
        Assert.Contains("the merged issues of 1 application ", output);
        Assert.DoesNotContain("Recounted", output);
        Assert.Equal(0, await RunAsync(api, "rebuild", "Issues"));
        Assert.Equal(0, await RunAsync(api, "verify"));
        Assert.Equal(2L, await api.ScalarAsync<long>($"select count(*) from {IssueMembers.Table} where issue = 1"));
    }

    [Fact]
    public async Task a_name_that_no_projection_has_is_refused()
    {
        Assert.Equal(2, await RunAsync(shared.Api, "rebuild", "Messages"));
        Assert.Equal(2, await RunAsync(shared.Api, "verify", "Messages"));
    }

    private static Task<(int ExitCode, string Output)> RunProcessAsync(
        string connectionString, params string[] command) =>
        HostProcess.RunAsync(["projections", .. command], ("ConnectionStrings__ErrorTracker", connectionString));

    /// <summary>In this process, on the services of a host that runs already.</summary>
    private static async Task<int> RunAsync(TestApi api, params string[] command)
    {
        var invocation = CommandLine.Read(["projections", .. command]);
        return invocation.Run is { } run ? await run(api.Host) : CommandLine.Misused;
    }
}
