extern alias Benchmarks;
using ErrorTracker.Tests.Hosting;
using Benchmarks::ErrorTracker.Benchmarks.Crash;

namespace ErrorTracker.Tests;

/// <summary>The short form of <c>./crash</c>: a round of each main kind on the same two nodes, but for those that need a long log or a file system of their own, or that other tests see to.</summary>
[Collection(nameof(Alone))]
public sealed class CrashTests(CrashTests.TwoNodes nodes) : IClassFixture<CrashTests.TwoNodes>
{
    [Theory]
    [InlineData("postgres-killed")]
    [InlineData("connections-ended")]
    [InlineData("postgres-paused")]
    [InlineData("node-killed")]
    public async Task what_is_acknowledged_is_stored_once_what_is_refused_is_not_and_all_comes_back_by_itself(string disturbance)
    {
        var report = await nodes.RunAsync(disturbance);
        Assert.True(report.Faults.Count == 0, string.Join('\n', report.Faults.Select(fault => $"{fault.Kind}: {fault.What}").Prepend($"Logs: {report.Logs}")));
        Assert.True(report.Acknowledged > 0);
    }

    public sealed class TwoNodes : IAsyncLifetime
    {
        private const double Pace = 0.2;

        private readonly CrashRun _run = new(HostProcess.Program, seed: 1, Pace);
        private int _rounds;

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync() => await _run.DisposeAsync();

        internal Task<RoundReport> RunAsync(string disturbance) =>
            _run.RunAsync(++_rounds, Disturbance.All.Single(kind => kind.Name == disturbance) with { Nodes = 2 }, CancellationToken.None);
    }
}
