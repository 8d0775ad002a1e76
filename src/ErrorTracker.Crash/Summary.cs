using Spectre.Console;

namespace ErrorTracker.Crash;

/// <summary>What rounds came to, for people: a line as each ends, and a table of all.</summary>
internal static class Summary
{
    private const int FaultsShown = 10;

    public static void WriteLine(RoundReport report)
    {
        var recovery = report.Recovery is { } r
            ? $"stores after {r.Ingest,4:0.0} s, ready {r.Ready,4:0.0} s, folds {r.Folded,4:0.0} s"
            : "did not come back";
        var verdict = report.Faults.Count == 0 ? "OK" : "FAILED";
        Console.WriteLine(
            $"{report.Number,3} {report.Kind,-18} {report.Detail,-18} {Number(report.Sent),7} sent "
            + $"{Number(report.Acknowledged),7} acknowledged {Number(report.Refused),6} refused "
            + $"{Number(report.Unknown),5} unknown; {recovery}  {verdict}");
        foreach (var fault in report.Faults.Take(FaultsShown)) Console.WriteLine($"    {fault.Kind}: {fault.What}");
        if (report.Logs is null) return;
        Console.WriteLine($"    {report.Faults.Count} faults; logs and all faults are in {report.Logs}");
    }

    public static void WriteTable(IReadOnlyList<RoundReport> reports)
    {
        var table = new Table().AddColumns(
            "disturbance", "rounds", "acknowledged", "lost", "doubled", "refused but stored", "other faults",
            "back after, median", "max");
        foreach (var kind in reports.GroupBy(report => report.Kind).OrderBy(kind => kind.Key, StringComparer.Ordinal))
            table.AddRow(Row(kind.Key, [.. kind]));
        if (reports.Count > 0) table.AddRow(Row("all", reports));
        AnsiConsole.Write(table);
    }

    private static string[] Row(string name, IReadOnlyList<RoundReport> rounds)
    {
        var faults = rounds.SelectMany(round => round.Faults).CountBy(fault => fault.Kind).ToDictionary();
        var others = new[] { FaultKind.Answer, FaultKind.Count, FaultKind.Gone };
        var seconds = rounds.Select(round => round.Recovery?.Seconds ?? double.PositiveInfinity).Order().ToList();
        return
        [
            name,
            Number(rounds.Count),
            Number(rounds.Sum(round => (long)round.Acknowledged)),
            Number(faults.GetValueOrDefault(FaultKind.Lost)),
            Number(faults.GetValueOrDefault(FaultKind.Doubled)),
            Number(faults.GetValueOrDefault(FaultKind.RefusedButStored)),
            Number(others.Sum(kind => faults.GetValueOrDefault(kind))),
            $"{seconds[seconds.Count / 2]:0.0} s",
            $"{seconds[^1]:0.0} s",
        ];
    }

    private static string Number(long number) => $"{number:N0}";
}
