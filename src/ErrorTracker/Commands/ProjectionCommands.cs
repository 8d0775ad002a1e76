using System.CommandLine;
using System.Globalization;
using ErrorTracker.Counters;
using ErrorTracker.Http;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;
using Spectre.Console;

namespace ErrorTracker.Commands;

/// <summary>The command <c>projections</c>: how far the counters are, to rebuild, to prove and to prune them, while nodes run or not.</summary>
internal static class ProjectionCommands
{
    private const int MostDifferences = 50;

    private static readonly TimeSpan MarkPatience = TimeSpan.FromSeconds(30);

    public static Command Define()
    {
        var name = new Argument<string>("projection") { Description = "Counters, of which there is one.", Arity = ArgumentArity.ZeroOrOne };
        name.Validators.Add(result =>
        {
            if (!"Counters".Equals(result.Tokens[0].Value, StringComparison.OrdinalIgnoreCase))
                result.AddError("There is no such projection: the only one is Counters.");
        });
        var since = new Option<string>("--since") { Description = "From this moment on.", HelpName = "time" };
        var until = new Option<string>("--until") { Description = "Before this moment.", HelpName = "time" };
        var verify = new OwnCommand("verify", "Recounts the log and compares every counter; exit code 1 if any differs.",
            (services, parsed) => RunAsync(services, (log, stop) =>
                VerifyAsync(log, Time(parsed.GetValue(since)), Time(parsed.GetValue(until)), stop))) { since, until };
        verify.Validators.Add(result =>
        {
            var faults = new Dictionary<string, string[]>();
            var from = Instant.Optional("--since", result.GetValue(since), faults);
            var to = Instant.Optional("--until", result.GetValue(until), faults);
            foreach (var (option, fault) in faults) result.AddError($"{option} {fault[0]}.");
            if (faults.Count == 0 && from >= to) result.AddError("--since must be before --until.");
        });
        return new("projections", "How far the counters are; to rebuild, to prove and to prune them, while nodes run or not.")
        {
            new OwnCommand("status", "Each version: processed, high-water mark, lag, state.", (services, _) =>
                RunAsync(services, (_, stop) => StatusAsync(services.GetRequiredService<LogDatabases>(), stop))),
            new OwnCommand("rebuild", "Counts the log anew beside what serves, then takes its place; goes on where it was cut off.",
                (services, _) => RunAsync(services, (_, stop) => RebuildAsync(services, stop))) { name },
            verify,
            new OwnCommand("prune", "Drops the versions that no node runs.", (services, _) => RunAsync(services, PruneAsync)),
        };
    }

    /// <summary>One that the command's validator has let pass.</summary>
    private static DateTimeOffset? Time(string? text) => Instant.Optional("", text, []);

    private static async Task<int> RunAsync(IServiceProvider services, Func<NpgsqlDataSource, CancellationToken, Task<int>> command)
    {
        var database = services.GetRequiredService<LogDatabases>().Main.Reserved;
        using var interrupted = new CancellationTokenSource();
        Console.CancelKeyPress += (_, e) => { e.Cancel = true; interrupted.Cancel(); };
        try
        {
            return await HasLogAsync(database, interrupted.Token)
                ? await command(database, interrupted.Token)
                : Fail("The database has no log yet: start a host or run db-apply.");
        }
        catch (OperationCanceledException) when (interrupted.IsCancellationRequested)
        {
            return Fail("Interrupted.");
        }
    }

    private static int Fail(string reason)
    {
        Console.Error.WriteLine(reason);
        return 2;
    }

    private static async Task<int> StatusAsync(LogDatabases databases, CancellationToken stop)
    {
        var table = new Table().AddColumns("projection", "version", "processed", "high-water mark", "lag", "state", "error");
        var versions = await ReadProjections.List(databases, stop);
        foreach (var p in versions)
            table.AddRow(p.Name, $"{p.Version}{(p.Version == CounterTables.Version ? " (this)" : "")}", N(p.Processed), N(p.HighWaterMark),
                N(p.Lag), p.State, Markup.Escape(p.Error ?? ""));
        AnsiConsole.Write(table);
        Console.WriteLine($"The oldest snapshot of the database is {versions[0].OldestSnapshot:0.0} s old.");
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
        var database = services.GetRequiredService<LogDatabases>().Main.Reserved;
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

    private static async Task<int> VerifyAsync(NpgsqlDataSource database, DateTimeOffset? since, DateTimeOffset? until, CancellationToken stop)
    {
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
