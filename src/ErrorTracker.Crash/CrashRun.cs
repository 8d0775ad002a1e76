namespace ErrorTracker.Crash;

/// <summary>
/// Rounds one after another on a stage that they share, so that a node has lived through several disturbances. A stage
/// goes after ten rounds, lest its log grows long, and after a fault, lest that counts twice.
/// </summary>
/// <param name="program">ErrorTracker.dll of the API.</param>
/// <param name="seed">Repeats the disturbances and what chance decides of them.</param>
/// <param name="pace">
/// How long the stretches are that chance decides, and how dense the load is, against the usual.
/// </param>
internal sealed class CrashRun(string program, int seed, double pace = 1) : IAsyncDisposable
{
    private const int RoundsOnStage = 10;

    private Stage? _stage;
    private int _rounds;

    public async Task<RoundReport> RunAsync(int number, Disturbance kind, CancellationToken stop)
    {
        if (_stage is not null && (_rounds >= RoundsOnStage || _stage.Ground != kind.Ground)) await LeaveAsync();
        if (_stage is null)
        {
            _stage = await Stage.CreateAsync(program, kind.Ground, pace, stop);
            _rounds = 0;
        }
        _rounds++;
        var report = await new Round(_stage, kind, new Random(HashOf(number))).RunAsync(number, stop);
        if (report.Faults.Count == 0) return report;
        report = report with { Logs = Keep(number, report) };
        await LeaveAsync();
        return report;
    }

    public async ValueTask DisposeAsync() => await LeaveAsync();

    private async Task LeaveAsync()
    {
        if (_stage is not null) await _stage.DisposeAsync();
        _stage = null;
    }

    private int HashOf(int number) => unchecked(seed * 1_000_003 + number);

    private string Keep(int number, RoundReport report)
    {
        var folder = Path.Combine(Path.GetTempPath(), $"errortracker-crash-failed-{seed}-{number}");
        Directory.CreateDirectory(folder);
        var logs = Directory.GetFiles(_stage!.Folder, "*.log").Append(_stage.Cluster.Log).Distinct().Where(File.Exists);
        foreach (var log in logs) File.Copy(log, Path.Combine(folder, Path.GetFileName(log)), overwrite: true);
        var faults = report.Faults.Select(fault => $"{fault.Kind}: {fault.What}");
        File.WriteAllLines(Path.Combine(folder, "faults.txt"), faults);
        return folder;
    }
}
