using System.CommandLine;
using System.Runtime.Versioning;
using Spectre.Console;

[assembly: SupportedOSPlatform("linux")]

namespace ErrorTracker.Crash;

/// <summary>Rounds of disturbances in an order that the seed decides: one line each, and a table at the end.</summary>
internal static class Program
{
    /// <summary>A table in a file needs no terminal's width.</summary>
    private const int WidthOfFiles = 160;

    /// <summary>After Ctrl-C, the servers that this program started end in good order.</summary>
    private static readonly TimeSpan CleaningUp = TimeSpan.FromMinutes(2);

    private static readonly string Api = Path.GetFullPath("src/ErrorTracker/bin/published/ErrorTracker.dll");

    public static Task<int> Main(string[] args)
    {
        var rounds = new Option<int>("--rounds")
        {
            Description = "How many disturbances.",
            DefaultValueFactory = _ => 20,
        };
        var seed = new Option<int>("--seed")
        {
            Description = "Repeats the order of the disturbances and what chance decides of them.",
            DefaultValueFactory = _ => Random.Shared.Next(1, 1_000_000),
        };
        var kind = new Option<string>("--kind")
        {
            Description = "One kind of disturbance instead of all.",
            HelpName = "name",
        };
        kind.AcceptOnlyFromAmong([.. Disturbance.All.Select(disturbance => disturbance.Name)]);

        var command = new RootCommand(
            "Kills and disturbs the API and PostgreSQL under load, and proves that nothing acknowledged is lost.")
        {
            rounds, seed, kind,
        };
        command.SetAction((parsed, stop) =>
        {
            var name = parsed.GetValue(kind);
            Disturbance[] kinds = [.. Disturbance.All.Where(disturbance => name is null || disturbance.Name == name)];
            return RunAsync(kinds, parsed.GetValue(rounds), parsed.GetValue(seed), stop);
        });
        return command.Parse(args).InvokeAsync(new() { ProcessTerminationTimeout = CleaningUp });
    }

    private static async Task<int> RunAsync(Disturbance[] kinds, int rounds, int seed, CancellationToken stop)
    {
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = WidthOfFiles;
        AnsiConsole.MarkupLineInterpolated($"Seed [bold]{seed}[/], {rounds} rounds");
        var reports = new List<RoundReport>();
        try
        {
            kinds = await LeaveOutImpossibleAsync(kinds, stop);
            await using var run = new CrashRun(Api, seed);
            foreach (var kind in Deck(kinds, new Random(seed)).Take(rounds))
            {
                var report = await run.RunAsync(reports.Count + 1, kind, stop);
                reports.Add(report);
                Summary.WriteLine(report);
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            AnsiConsole.WriteLine("Interrupted.");
        }
        Summary.WriteTable(reports);
        return stop.IsCancellationRequested || reports.Any(report => report.Faults.Count > 0) ? 1 : 0;
    }

    private static async Task<Disturbance[]> LeaveOutImpossibleAsync(Disturbance[] kinds, CancellationToken stop)
    {
        if (kinds.All(kind => kind.Ground != Ground.SmallDisk) || await Cluster.CanBeSmallAsync(stop)) return kinds;
        AnsiConsole.WriteLine("No file system can be mounted here: disk-full is left out.");
        return [.. kinds.Where(kind => kind.Ground != Ground.SmallDisk)];
    }

    /// <summary>Each kind as often as any other, in a different order each time.</summary>
    private static IEnumerable<Disturbance> Deck(Disturbance[] kinds, Random random)
    {
        Disturbance[] deck = [.. kinds];
        while (deck.Length > 0)
        {
            random.Shuffle(deck);
            foreach (var kind in deck) yield return kind;
        }
    }
}
