using System.Diagnostics;
using Spectre.Console;

namespace ErrorTracker.Benchmarks;

/// <summary>The figures of one question, said as they come and written to their section of a file. A fault makes them void: what they say is not to be believed.</summary>
internal sealed class Report(string question)
{
    private readonly List<(string What, string Figure, string Baseline)> _figures = [];

    public bool IsVoid { get; private set; }

    public void Add(string what, string figure, string baseline = "")
    {
        _figures.Add((what, figure, baseline));
        AnsiConsole.MarkupLineInterpolated($"{what}: [bold]{figure}[/] {baseline}");
    }

    /// <summary>A request that failed, or a count that is off.</summary>
    public void Fault(string what)
    {
        IsVoid = true;
        _figures.Add((what, "VOID", ""));
        AnsiConsole.MarkupLineInterpolated($"[red]{what}[/]");
    }

    public async Task WriteAsync(string file)
    {
        var sections = File.Exists(file) ? (await File.ReadAllTextAsync(file)).Split("\n## ")[1..].ToDictionary(s => s[..s.IndexOf('\n')], s => s.TrimEnd()) : [];
        var lines = new List<string>
        {
            question, "",
            $"{DateTime.UtcNow:yyyy-MM-dd}, commit {await SayAsync("git", "rev-parse --short HEAD")}, {Environment.ProcessorCount} cores ({Cpu()}), " +
            $"{GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GB, {Environment.OSVersion.VersionString}, .NET {Environment.Version}. PostgreSQL as the private cluster runs it, on the same machine.", "",
            "| what | figure | baseline in the same run |", "|---|---|---|",
        };
        lines.AddRange(_figures.Select(f => $"| {f.What} | {f.Figure} | {f.Baseline} |"));
        sections[question] = string.Join('\n', lines);
        await File.WriteAllTextAsync(file, $"# Measured by ./bench\n{string.Concat(sections.OrderBy(s => s.Key).Select(s => $"\n## {s.Value}\n"))}");

        var table = new Table().AddColumns("what", "figure", "baseline in the same run");
        foreach (var (what, figure, baseline) in _figures) table.AddRow(Markup.Escape(what), Markup.Escape(figure), Markup.Escape(baseline));
        AnsiConsole.Write(table);
    }

    private static string Cpu() => File.Exists("/proc/cpuinfo")
        ? File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name"))?.Split(':')[1].Trim() ?? "unknown"
        : "unknown";

    private static async Task<string> SayAsync(string program, string arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        return (await process.StandardOutput.ReadToEndAsync()).Trim();
    }
}

/// <summary>Values of one kind, in whatever unit.</summary>
internal static class Values
{
    public static double Percentile(this IEnumerable<double> values, double percent)
    {
        var sorted = values.Order().ToList();
        return sorted[(int)Math.Min(sorted.Count - 1, sorted.Count * percent / 100)];
    }

    public static double Median(this IEnumerable<double> values) => values.Percentile(50);

    /// <summary>p50, p99, and how far the medians of the rounds lie apart.</summary>
    public static string Describe(this IReadOnlyList<IReadOnlyList<double>> rounds)
    {
        var (all, medians) = (rounds.SelectMany(r => r).ToList(), rounds.Select(r => r.Median()).ToList());
        return $"p50 {all.Median():0.0} ms, p99 {all.Percentile(99):0.0} ms (medians of {rounds.Count} rounds {medians.Min():0.0}–{medians.Max():0.0})";
    }
}
