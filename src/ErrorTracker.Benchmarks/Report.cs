using System.Diagnostics;
using Spectre.Console;

namespace ErrorTracker.Benchmarks;

/// <summary>One row.</summary>
/// <param name="Baseline">What it is compared with, measured in the same run.</param>
internal sealed record Figure(string What, string Value, string Baseline);

/// <summary>
/// The figures of one question, said as they come and written to their section of <see cref="Measurements"/>. A fault
/// makes them void: what they say is not to be believed.
/// </summary>
internal sealed class Report(string question)
{
    private static readonly string[] Columns = ["what", "figure", "baseline in the same run"];

    private readonly List<Figure> _figures = [];

    public bool IsVoid { get; private set; }

    public void Add(string what, string value, string baseline = "")
    {
        _figures.Add(new(what, value, baseline));
        AnsiConsole.MarkupLineInterpolated($"{what}: [bold]{value}[/] {baseline}");
    }

    /// <summary>A request that failed, or a count that is off.</summary>
    public void Fault(string what)
    {
        IsVoid = true;
        _figures.Add(new(what, "VOID", ""));
        AnsiConsole.MarkupLineInterpolated($"[red]{what}[/]");
    }

    public async Task WriteAsync()
    {
        string[] lines =
        [
            await ConditionsAsync(),
            "",
            $"| {string.Join(" | ", Columns)} |",
            "|---|---|---|",
            .. _figures.Select(figure => $"| {figure.What} | {figure.Value} | {figure.Baseline} |"),
        ];
        await Measurements.ReplaceAsync(question, string.Join('\n', lines));

        var table = new Table().AddColumns(Columns);
        foreach (var (what, value, baseline) in _figures)
            table.AddRow(Markup.Escape(what), Markup.Escape(value), Markup.Escape(baseline));
        AnsiConsole.Write(table);
    }

    /// <summary>When, what and where was measured.</summary>
    private static async Task<string> ConditionsAsync()
    {
        var gigabytes = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        return $"{DateTime.UtcNow:yyyy-MM-dd}, commit {await CommitAsync()}, "
            + $"{Environment.ProcessorCount} cores ({Processor()}), {gigabytes} GB, "
            + $"{Environment.OSVersion.VersionString}, .NET {Environment.Version}. "
            + "PostgreSQL as the private cluster runs it, on the same machine.";
    }

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo")
            .FirstOrDefault(line => line.StartsWith("model name", StringComparison.Ordinal))?
            .Split(':')[1].Trim()
        ?? "unknown";

    private static async Task<string> CommitAsync()
    {
        var start = new ProcessStartInfo("git", ["rev-parse", "--short", "HEAD"]) { RedirectStandardOutput = true };
        using var git = Process.Start(start)!;
        return (await git.StandardOutput.ReadToEndAsync()).Trim();
    }
}
