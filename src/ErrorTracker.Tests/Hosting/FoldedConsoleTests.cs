using System.Net;
using System.Text.RegularExpressions;
using ErrorTracker.Postgres;

namespace ErrorTracker.Tests.Hosting;

/// <summary>What a host writes while its PostgreSQL, which is another's, is away.</summary>
public sealed partial class FoldedConsoleTests : IDisposable
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"errortracker-tests-{Guid.NewGuid().ToString()[..8]}");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task while_the_database_is_away_each_line_is_written_once_without_a_stack_and_once_when_it_is_over()
    {
        await using var host = await BeginAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 30).Select(_ => host.Http.GetAsync("/apps/")));
        Assert.All(answers, answer => Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode));
        string[] services = ["ProjectionWatch fails", "heartbeat"];
        await SaysAsync(host, services);

        var lines = host.Output.Split('\n')
            .Where(line => line.Contains(" warn: ") || line.Contains(" fail: "))
            .Select(line => Varying().Replace(line, ""))
            .ToList();
        Assert.Equal(lines.Count, lines.Distinct().Count());
        Assert.Single(lines, line => line.Contains("PostgreSQL did not answer"));
        Assert.DoesNotContain(lines, line => line.Contains("   at Npgsql."));

        await using var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        await SaysAsync(host, "ProjectionWatch works again, after ");
    }

    private static Task SaysAsync(HostProcess host, params string[] parts) =>
        Eventually.Async(() => Task.FromResult(parts.All(host.Output.Contains)), $"it says: {string.Join(", ", parts)}");

    private async Task<HostProcess> BeginAsync()
    {
        await using var cluster = await PrivateCluster.StartAsync(_folder, binaries: null, CancellationToken.None);
        return await HostProcess.StartAsync(("ConnectionStrings__ErrorTracker", cluster.ConnectionString));
    }

    /// <summary>The time at its start, and numbers.</summary>
    [GeneratedRegex("^[^ ]+ |[0-9a-f-]*[0-9][0-9a-f-]*|(Failed to connect|Exception while|[0-9A-Z]{5}:).*")]
    private static partial Regex Varying();
}
