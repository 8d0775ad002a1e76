using ErrorTracker.Crash;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests;

/// <summary>
/// The short form of <c>./crash</c>: one round of each main kind, all on the same two nodes. Kinds that need a long log
/// or a file system of their own are left out, and kinds that other tests cover.
/// </summary>
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
        var faults = report.Faults.Select(fault => $"{fault.Kind}: {fault.What}");
        Assert.True(report.Faults.Count == 0, string.Join('\n', faults.Prepend($"Logs: {report.Logs}")));
        Assert.True(report.Acknowledged > 0);
    }

    public sealed class TwoNodes : IAsyncLifetime
    {
        private const double Pace = 0.2;

        private readonly CrashRun _run = new(HostProcess.Program, seed: 1, Pace);
        private int _rounds;

        public Task InitializeAsync() => Task.CompletedTask;

        public async Task DisposeAsync() => await _run.DisposeAsync();

        internal Task<RoundReport> RunAsync(string disturbance)
        {
            var kind = Disturbance.All.Single(one => one.Name == disturbance) with { Nodes = 2 };
            return _run.RunAsync(++_rounds, kind, CancellationToken.None);
        }
    }
}
