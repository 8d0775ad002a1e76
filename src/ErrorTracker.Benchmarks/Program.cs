using System.CommandLine;
using System.Globalization;
using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

namespace ErrorTracker.Benchmarks;

/// <summary>
/// Answers the questions that it is asked, or all, and writes the figures to their sections of one file.
/// </summary>
internal static class Program
{
    private static readonly Dictionary<string, Func<int, Report, Task>> Benchmarks = new()
    {
        ["statistics"] = StatisticsBenchmark.RunAsync, // pages, sizes and the rebuild too, on the same log
        ["ingest"] = (_, report) => IngestBenchmark.RunAsync(report),
        ["load"] = (_, report) => LoadBenchmark.RunAsync(report),
        ["issues"] = IssuesBenchmark.RunAsync,
    };

    public static async Task<int> Main(string[] args)
    {
        if (args is [BaselineProcess.Command, var connectionString, var port])
        {
            await Baselines.ServeAsync(connectionString, int.Parse(port, CultureInfo.InvariantCulture));
            return 0;
        }
        return await Measure().Parse(args).InvokeAsync();
    }

    private static RootCommand Measure()
    {
        var questions = new Argument<string[]>("questions")
        {
            Description = "What to measure; all unless named.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        questions.AcceptOnlyFromAmong([.. Benchmarks.Keys]);
        var events = new Option<int>("--events")
        {
            Description = "How many events the log of statistics and of issues has.",
            DefaultValueFactory = _ => 1_000_000,
        };
        var command = new RootCommand($"Measures on this machine, and writes {Measurements.Path}.")
        {
            questions, events,
        };
        command.SetAction((parsed, _) => RunAsync(parsed.GetValue(questions) ?? [], parsed.GetValue(events)));
        return command;
    }

    private static async Task<int> RunAsync(string[] questions, int events)
    {
        var isVoid = false;
        foreach (var (question, benchmark) in Benchmarks)
        {
            if (questions.Length > 0 && !questions.Contains(question)) continue;
            var report = new Report(question);
            await benchmark(events, report);
            await report.WriteAsync();
            isVoid |= report.IsVoid;
        }
        return isVoid ? 1 : 0;
    }
}
