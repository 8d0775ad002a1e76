using System.Globalization;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using Npgsql;
using Spectre.Console;

namespace ErrorTracker.Hosting;

/// <summary>The command <c>projections</c>: how far the counters are, to rebuild, to prove and to prune them, while nodes run or not.</summary>
internal static class ProjectionCommands
{
    private const int MostDifferences = 50;

    private static readonly TimeSpan MarkPatience = TimeSpan.FromSeconds(30);

    private const string Usage =
        """
        projections status                             each version: processed, high-water mark, lag, state
        projections rebuild [Counters]                 counts the log anew beside what serves, then takes its place; goes on where it was cut off
        projections verify [--since T] [--until T]     recounts the log and compares; exit code 1 if anything differs
        projections prune                              drops versions that no node runs
        """;

    public static async Task<int> RunAsync(IServiceProvider services, string[] args)
    {
        var database = services.GetRequiredService<NpgsqlDataSource>();
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) => { e.Cancel = true; interrupted.Cancel(); };
        try
        {
            return args switch
            {
                ["status" or "rebuild" or "verify" or "prune", ..] when !await HasLogAsync(database, interrupted.Token) => Fail("The database has no log yet: start a host or run db-apply."),
                ["status"] => await StatusAsync(services.GetRequiredService<LogDatabase>(), interrupted.Token),
                ["rebuild"] => await RebuildAsync(services, interrupted.Token),
                ["rebuild", var name] when name.Equals("Counters", StringComparison.OrdinalIgnoreCase) => await RebuildAsync(services, interrupted.Token),
                ["verify", .. var options] => await VerifyAsync(database, options, interrupted.Token),
                ["prune"] => await PruneAsync(database, interrupted.Token),
                _ => Fail(Usage),
            };
        }
        catch (OperationCanceledException)
        {
            return Fail("Interrupted.");
        }
    }

    private static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return 2;
    }

    private static async Task<int> StatusAsync(LogDatabase database, CancellationToken stop)
    {
        var table = new Table().AddColumns(
            "projection", "version", "processed", "high-water mark", "lag", "state", "error", "oldest snapshot");
        foreach (var p in await ReadProjections.List(database, stop))
            table.AddRow(p.Name, $"{p.Version}{(p.Version == CounterTables.Version ? " (this)" : "")}", N(p.Processed), N(p.HighWaterMark), N(p.Lag), p.State, Markup.Escape(p.Error ?? ""), $"{p.OldestSnapshot:0.0} s");
        AnsiConsole.Write(table);
        return 0;
    }

    private static async Task<bool> HasLogAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        await using var command = database.CreateCommand($"select to_regclass('{CounterShard.Progress}') is not null");
        return await command.ExecuteScalarAsync(stop) is true;
    }

    /// <summary>Where no node runs, nobody else moves the high-water mark.</summary>
    private static async Task<int> RebuildAsync(IServiceProvider services, CancellationToken stop)
    {
        var database = services.GetRequiredService<NpgsqlDataSource>();
        if (!await new HighWaterMark(database).AdvanceAsync(MarkPatience, stop))
            Console.WriteLine("A transaction that may still write events keeps the high-water mark back: what follows it is folded later.");
        var (watch, last) = (System.Diagnostics.Stopwatch.StartNew(), new RebuildProgress("", 0, 0, 0));
        var done = await AnsiConsole.Progress().Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn()).StartAsync(async bars =>
        {
            var bar = bars.AddTask("Counters");
            return await new Rebuild(database).RunAsync(now =>
            {
                last = now;
                (bar.MaxValue, bar.Value) = (Math.Max(1, now.Mark), now.Mark == 0 ? 1 : now.Folded);
                bar.Description = $"Counters, {now.Phase}: {N(now.Folded)} of {N(now.Mark)}, {N((now.Folded - now.From) / Math.Max(0.001, watch.Elapsed.TotalSeconds))} events/s";
            }, stop);
        });
        if (!done) return Fail("Another rebuild runs.");
        Console.WriteLine($"Rebuilt the counters from {N(last.Folded)} events, {N(last.Folded - last.From)} of them in this run of {watch.Elapsed.TotalSeconds:N1} s.");
        return 0;
    }

    private static async Task<int> VerifyAsync(NpgsqlDataSource database, string[] options, CancellationToken stop)
    {
        var errors = new Dictionary<string, string[]>();
        DateTimeOffset? Option(string name) => Array.IndexOf(options, name) is var at and >= 0 ? Instant.Required(name, options.ElementAtOrDefault(at + 1), errors) : null;
        var (since, until) = (Option("--since"), Option("--until"));
        foreach (var (option, faults) in errors) return Fail($"{option} {faults[0]}.");
        if (options.Where((_, i) => i % 2 == 0).Any(option => option is not ("--since" or "--until")) || options.Length % 2 == 1) return Fail(Usage);
        if (since >= until) return Fail("--since must be before --until.");

        var (events, compared, unfolded, differences) = await new Verify(database).RunAsync(since, until, MostDifferences, stop);
        Console.WriteLine($"Recounted {N(events)} events and compared {N(compared)} counters and texts; {N(unfolded)} events are not folded yet.");
        if (differences.Count == 0) Console.WriteLine("No differences.");
        if (differences.Count == 0) return 0;

        var table = new Table().AddColumns("application", "step", "bucket", "subject", "counted", "recounted");
        foreach (var d in differences) table.AddRow(Markup.Escape(d.Tenant), d.Step, d.Bucket.ToString("u"), Markup.Escape(d.Subject), N(d.Counted), N(d.Recounted));
        AnsiConsole.Write(table);
        if (differences.Count == MostDifferences) Console.WriteLine($"The first {MostDifferences} are shown.");
        return 1;
    }

    private static async Task<int> PruneAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        var dropped = await new Prune(database).RunAsync(stop);
        Console.WriteLine(dropped.Count == 0 ? "No version to drop." : $"Dropped the versions {string.Join(", ", dropped)}.");
        return 0;
    }

    private static string N(double number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
