using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using Spectre.Console;

[assembly: SupportedOSPlatform("linux")]

namespace ErrorTracker.Benchmarks.Crash;

/// <summary>The command <c>crash</c>: rounds of all kinds of disturbances in an order that the seed decides, one line each, and a table at the end.</summary>
internal static class CrashCommand
{
    public const string Name = "crash";

    private const int FaultsShown = 10, WidthOfFiles = 160;

    private const string Usage = "crash [--rounds N] [--seed S] [--kind NAME]";

    public static async Task<int> RunAsync(string[] args)
    {
        var (rounds, seed, kinds) = (20, Random.Shared.Next(1, 1_000_000), Disturbance.All);
        for (var i = 0; i < args.Length; i += 2)
            if (args.ElementAtOrDefault(i + 1) is not { } value || args[i] switch
            {
                "--rounds" => int.TryParse(value, out rounds),
                "--seed" => int.TryParse(value, out seed),
                "--kind" => (kinds = [.. kinds.Where(kind => kind.Name == value)]).Length > 0,
                _ => false,
            } is false)
            {
                Console.Error.WriteLine($"{Usage}; kinds are {string.Join(", ", Disturbance.All.Select(kind => kind.Name))}");
                return 2;
            }

        using var interrupted = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;
            interrupted.Cancel();
        }

        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = WidthOfFiles;
        AnsiConsole.MarkupLineInterpolated($"Seed [bold]{seed}[/], {rounds} rounds");
        if (kinds.Any(kind => kind.Ground == Ground.SmallDisk) && !await Cluster.CanBeSmallAsync(interrupted.Token))
        {
            AnsiConsole.WriteLine("No file system can be mounted here: disk-full is left out.");
            kinds = [.. kinds.Where(kind => kind.Ground != Ground.SmallDisk)];
        }
        var reports = new List<RoundReport>();
        try
        {
            await using var run = new CrashRun(Path.GetFullPath("src/ErrorTracker/bin/published/ErrorTracker.dll"), seed);
            foreach (var (kind, number) in Deck(kinds, new Random(seed)).Take(rounds).Select((kind, i) => (kind, i + 1)))
            {
                reports.Add(await run.RunAsync(number, kind, interrupted.Token));
                Say(reports[^1]);
            }
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            AnsiConsole.WriteLine("Interrupted.");
        }
        Summarize(reports);
        return interrupted.IsCancellationRequested || reports.Any(report => report.Faults.Count > 0) ? 1 : 0;
    }

    /// <summary>Each kind as often as any other, in a different order each time.</summary>
    private static IEnumerable<Disturbance> Deck(Disturbance[] kinds, Random random)
    {
        while (true)
        {
            random.Shuffle(kinds = [.. kinds]);
            foreach (var kind in kinds) yield return kind;
        }
    }

    private static void Say(RoundReport report)
    {
        var served = report.Recovery is { } r ? string.Create(CultureInfo.InvariantCulture, $"stores after {r.Ingest,4:0.0} s, ready {r.Ready,4:0.0} s, folds {r.Folded,4:0.0} s") : "did not come back";
        Console.WriteLine($"{report.Number,3} {report.Kind,-18} {report.Detail,-18} {N(report.Sent),7} sent {N(report.Acknowledged),7} acknowledged {N(report.Refused),6} refused {N(report.Unknown),5} unknown; {served}  {(report.Faults.Count == 0 ? "OK" : "FAILED")}");
        foreach (var fault in report.Faults.Take(FaultsShown)) Console.WriteLine($"    {fault.Kind}: {fault.What}");
        if (report.Logs is not null) Console.WriteLine($"    {report.Faults.Count} faults; logs and all faults are in {report.Logs}");
    }

    private static void Summarize(List<RoundReport> reports)
    {
        var table = new Table().AddColumns("disturbance", "rounds", "acknowledged", "lost", "doubled", "refused but stored", "other faults", "back after, median", "max");
        foreach (var kind in reports.GroupBy(report => report.Kind).OrderBy(kind => kind.Key)) AddRow(kind.Key, [.. kind]);
        if (reports.Count > 0) AddRow("all", reports);
        AnsiConsole.Write(table);

        void AddRow(string name, List<RoundReport> rounds)
        {
            var (faults, seconds) = (rounds.SelectMany(r => r.Faults).ToLookup(f => f.Kind), rounds.Select(r => r.Recovery?.Seconds ?? double.PositiveInfinity).ToList());
            var other = faults.Where(kind => kind.Key is FaultKind.Answer or FaultKind.Count or FaultKind.Gone).Sum(kind => kind.Count());
            table.AddRow(name, N(rounds.Count), N(rounds.Sum(r => (long)r.Acknowledged)), N(faults[FaultKind.Lost].Count()), N(faults[FaultKind.Doubled].Count()), N(faults[FaultKind.RefusedButStored].Count()), N(other),
                string.Create(CultureInfo.InvariantCulture, $"{seconds.Median():0.0} s"), string.Create(CultureInfo.InvariantCulture, $"{seconds.Max():0.0} s"));
        }
    }

    private static string N(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
