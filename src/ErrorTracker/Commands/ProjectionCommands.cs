using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;
using Spectre.Console;

namespace ErrorTracker.Commands;

/// <summary>
/// The command <c>projections</c>: how far the projections are, to rebuild, to prove and to prune them, while nodes run
/// or not. What people have merged is rebuilt and proved with them.
/// </summary>
internal static class ProjectionCommands
{
    private const int Differs = 1;

    private const int MostDifferences = 50;

    /// <summary>How long a transaction that may still write events is waited for.</summary>
    private static readonly TimeSpan MarkTimeout = TimeSpan.FromSeconds(30);

    public static Command Define() =>
        new("projections", "How far the counters are; to rebuild, to prove and to prune them, while nodes run or not.")
        {
            new OwnCommand("status", "Each version: processed, high-water mark, lag, state.",
                (services, _) => OnLog.RunAsync(services, stop => StatusAsync(services, stop))),
            DefineRebuild(),
            DefineVerify(),
            new OwnCommand("prune", "Drops the versions that no node runs.",
                (services, _) => OnLog.RunAsync(services, stop => PruneAsync(services, stop))),
        };

    private static OwnCommand DefineRebuild()
    {
        var name = Named();
        return new("rebuild",
            "Counts the log anew beside what serves, then takes its place; goes on where it was cut off.",
            (services, parsed) => RunAsync(services, parsed.GetValue(name),
                (projection, stop) => RebuildAsync(services, projection, stop),
                stop => RebuildIssuesAsync(services, stop))) { name };
    }

    private static OwnCommand DefineVerify()
    {
        var name = Named();
        var (since, until) = (TimeOptions.Since(), TimeOptions.Until());
        var verify = new OwnCommand("verify",
            "Recounts the log and compares every counter; exit code 1 if any differs.",
            (services, parsed) => RunAsync(services, parsed.GetValue(name), (projection, stop) =>
                VerifyAsync(services, projection, parsed.TimeOf(since), parsed.TimeOf(until), stop),
                stop => VerifyIssuesAsync(services, stop)))
        {
            name, since, until,
        };
        verify.Validators.Add(result => TimeOptions.Validate(result, since, until));
        return verify;
    }

    /// <summary>An option that is mistyped would be taken for a name.</summary>
    private static Argument<string?> Named()
    {
        var name = new Argument<string?>("projection")
        {
            Description = $"Its name, such as Counters, or {MergedIssues.Name} for what people have merged; all if absent.",
            Arity = ArgumentArity.ZeroOrOne,
        };
        name.Validators.Add(result =>
        {
            if (result.Tokens[0].Value is ['-', ..] option) result.AddError($"Unrecognized option '{option}'.");
        });
        return name;
    }

    /// <summary>For what has this name, or for all; the worst exit code.</summary>
    private static async Task<int> RunAsync(
        IServiceProvider services, string? name, Func<Projection, CancellationToken, Task<int>> command,
        Func<CancellationToken, Task<int>> ofIssues)
    {
        var registered = services.GetRequiredService<RegisteredProjections>();
        List<Subject> all =
        [
            .. registered.All.Select(projection => new Subject(projection.Name, stop => command(projection, stop))),
            new(MergedIssues.Name, ofIssues),
        ];
        var asked = name is null ? all : all.FindAll(subject => subject.IsCalled(name));
        if (asked.Count == 0)
            return OnLog.Fail($"There is no such projection: there are {string.Join(", ", all.Select(one => one.Name))}.");
        return await OnLog.RunAsync(services, async stop =>
        {
            var worst = 0;
            foreach (var subject in asked)
            {
                if (asked.Count > 1) Console.WriteLine($"{subject.Name}:");
                worst = Math.Max(worst, await subject.RunAsync(stop));
            }
            return worst;
        });
    }

    /// <summary>What a command is about: a projection, or what people have merged.</summary>
    private sealed record Subject(string Name, Func<CancellationToken, Task<int>> RunAsync)
    {
        public bool IsCalled(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);
    }

    private static NpgsqlDataSource DatabaseOf(IServiceProvider services) =>
        services.GetRequiredService<LogDatabases>().Main.Reserved;

    private static async Task<int> StatusAsync(IServiceProvider services, CancellationToken stop)
    {
        var registered = services.GetRequiredService<RegisteredProjections>();
        var versions = await ReadProjections.List(registered, services.GetRequiredService<LogDatabases>(), stop);
        var table = new Table()
            .AddColumns("projection", "version", "processed", "high-water mark", "lag", "state", "error");
        foreach (var version in versions)
        {
            var isThis = registered.Find(version.Name)!.Version == version.Version;
            table.AddRow(version.Name, $"{version.Version}{(isThis ? " (this)" : "")}", N(version.Processed),
                N(version.HighWaterMark), N(version.Lag), version.State, Markup.Escape(version.Error ?? ""));
        }
        AnsiConsole.Write(table);
        Console.WriteLine($"The oldest snapshot of the database is {versions[0].OldestSnapshot:0.0} s old.");
        return 0;
    }

    /// <summary>Where no node runs, nobody else moves the high-water mark.</summary>
    private static async Task<int> RebuildAsync(
        IServiceProvider services, Projection projection, CancellationToken stop)
    {
        var database = DatabaseOf(services);
        if (!await new HighWaterMark(database).AdvanceAsync(MarkTimeout, stop))
            Console.WriteLine("A transaction that may still write events keeps the high-water mark back: "
                + "what follows it is folded later.");
        var watch = Stopwatch.StartNew();
        var last = new RebuildProgress("", 0, 0, 0);
        var done = await ProgressBar().StartAsync(async bars =>
        {
            var bar = bars.AddTask(projection.Name);
            return await new Rebuild(projection, database).RunAsync(now =>
            {
                last = now;
                Show(bar, projection, now, watch.Elapsed);
            }, stop);
        });
        if (!done) return OnLog.Fail("Another rebuild runs.");
        Console.WriteLine($"Rebuilt {projection.Subject} from {N(last.Folded)} events, "
            + $"{N(last.Folded - last.From)} of them in this run of {watch.Elapsed.TotalSeconds:N1} s.");
        return 0;
    }

    private static Progress ProgressBar() => AnsiConsole.Progress().Columns(
        new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn());

    private static void Show(ProgressTask bar, Projection projection, RebuildProgress now, TimeSpan elapsed)
    {
        var rate = (now.Folded - now.From) / Math.Max(0.001, elapsed.TotalSeconds);
        bar.MaxValue = Math.Max(1, now.Mark);
        bar.Value = now.Mark == 0 ? 1 : now.Folded;
        bar.Description = $"{projection.Name}, {now.Phase}: {N(now.Folded)} of {N(now.Mark)}, {N(rate)} events/s";
    }

    private static async Task<int> VerifyAsync(IServiceProvider services, Projection projection,
        DateTimeOffset? since, DateTimeOffset? until, CancellationToken stop)
    {
        var verdict = await new Verify(DatabaseOf(services)).RunAsync(projection, since, until, MostDifferences, stop);
        Console.WriteLine(
            $"Recounted {N(verdict.Events)} events and compared {N(verdict.Compared)} counters and texts; "
            + $"{N(verdict.Unfolded)} events are not folded yet.");
        if (verdict.Differences.Count == 0)
        {
            Console.WriteLine("No differences.");
            return 0;
        }

        var table = new Table().AddColumns("application", "step", "bucket", "subject", "counted", "recounted");
        foreach (var difference in verdict.Differences)
            table.AddRow(Markup.Escape(difference.Tenant), difference.Step, difference.Bucket.ToString("u"),
                Markup.Escape(difference.Subject), N(difference.Counted), N(difference.Recounted));
        AnsiConsole.Write(table);
        if (verdict.Differences.Count == MostDifferences) Console.WriteLine($"The first {MostDifferences} are shown.");
        return Differs;
    }

    private static async Task<int> RebuildIssuesAsync(IServiceProvider services, CancellationToken stop)
    {
        await MergedIssues.RebuildAsync(services, stop);
        return 0;
    }

    private static async Task<int> VerifyIssuesAsync(IServiceProvider services, CancellationToken stop)
    {
        var differences = await MergedIssues.VerifyAsync(services, MostDifferences, stop);
        if (differences.Count == 0)
        {
            Console.WriteLine("No differences.");
            return 0;
        }
        AnsiConsole.Write(MergedIssues.Show(differences));
        if (differences.Count == MostDifferences) Console.WriteLine($"The first {MostDifferences} are shown.");
        return Differs;
    }

    private static async Task<int> PruneAsync(IServiceProvider services, CancellationToken stop)
    {
        var registered = services.GetRequiredService<RegisteredProjections>();
        var dropped = await new Prune(registered, DatabaseOf(services)).RunAsync(stop);
        Console.WriteLine(
            dropped.Count == 0 ? "No version to drop." : $"Dropped the versions {string.Join(", ", dropped)}.");
        return 0;
    }

    private static string N(double number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
