using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using ErrorTracker.Applications;
using ErrorTracker.Grouping;
using ErrorTracker.Http;
using ErrorTracker.Issues;
using Spectre.Console;

namespace ErrorTracker.Commands;

/// <summary>
/// The command <c>grouping</c>: the own rules of an application, while nodes run or not. A node that runs may carry a
/// change out before the command does: then the command shows how far that one is.
/// </summary>
internal static class GroupingCommands
{
    /// <summary>The exit code if the rules have faults.</summary>
    private const int Faulty = 1;

    private const int MostShown = 20, MostParts = 5;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    public static Command Define() =>
        new("grouping", "An application's own rules of which errors are the same; to preview, adopt and withdraw them.")
        {
            DefineShow(), DefinePreview(), DefineAdopt(), DefineWithdraw(),
        };

    private static OwnCommand DefineShow()
    {
        var app = App();
        return new("show", "The rules that serve, and the change that is under way.",
            (services, parsed) => RunAsync(services, parsed.GetValue(app), (id, stop) => ShowAsync(services, id, stop)))
        {
            app,
        };
    }

    private static OwnCommand DefinePreview()
    {
        var (app, rules, since, until) = (App(), Rules(), TimeOptions.Since(), TimeOptions.Until());
        var preview = new OwnCommand("preview", "Counts the log by other rules: what would merge and split. Nothing changes.",
            (services, parsed) => RunAsync(services, parsed.GetValue(app), parsed.GetValue(rules)!, (id, json, stop) =>
            {
                var change = NewChange(services, id, GroupingChange.Preview, json) with
                {
                    Since = parsed.TimeOf(since),
                    Until = parsed.TimeOf(until),
                };
                return PreviewAsync(services, change, stop);
            }))
        {
            app, rules, since, until,
        };
        preview.Validators.Add(result => TimeOptions.Validate(result, since, until));
        return preview;
    }

    private static OwnCommand DefineAdopt()
    {
        var (app, rules) = (App(), Rules());
        return new("adopt", "Counts the log by other rules, then lets them serve. A withdrawal takes it back.",
            (services, parsed) => RunAsync(services, parsed.GetValue(app), parsed.GetValue(rules)!, (id, json, stop) =>
                ChangeAsync(services, NewChange(services, id, GroupingChange.Adoption, json), stop)))
        {
            app, rules,
        };
    }

    private static OwnCommand DefineWithdraw()
    {
        var app = App();
        return new("withdraw", "Lets the rules serve again that served before, with the numbers of then.",
            (services, parsed) => RunAsync(services, parsed.GetValue(app), (id, stop) => WithdrawAsync(services, id, stop)))
        {
            app,
        };
    }

    private static Option<int> App() => new("--app")
    {
        Description = "The application's id.",
        HelpName = "id",
        Required = true,
        CustomParser = result =>
        {
            var text = result.Tokens[0].Value;
            if (ApplicationDirectory.TryParseId(text, out var id)) return id;
            result.AddError($"--app {Number.ExpectedId}.");
            return 0;
        },
    };

    private static Option<string> Rules() => new("--rules")
    {
        Description = "A file with the rules as JSON; docs/api.md tells what they hold.",
        HelpName = "file",
        Required = true,
    };

    /// <summary>If there is such an application.</summary>
    private static Task<int> RunAsync(
        IServiceProvider services, int app, Func<int, CancellationToken, Task<int>> command) =>
        OnLog.RunAsync(services, async stop =>
        {
            var found = await services.GetRequiredService<ApplicationDirectory>().FindAsync(app, stop);
            return found is null ? OnLog.Fail($"There is no application {app}.") : await command(app, stop);
        });

    /// <summary>The same with rules of a file, in the form in which they are stored.</summary>
    private static Task<int> RunAsync(
        IServiceProvider services, int app, string file, Func<int, string, CancellationToken, Task<int>> command) =>
        RunAsync(services, app, async (id, stop) =>
        {
            var faults = new Dictionary<string, string[]>();
            GroupingRules? rules;
            try
            {
                using var json = JsonDocument.Parse(await File.ReadAllBytesAsync(file, stop));
                rules = GroupingRules.Parse(json.RootElement, faults);
            }
            catch (Exception e) when (e is JsonException or IOException or UnauthorizedAccessException)
            {
                Console.Error.WriteLine($"{file}: {e.Message}");
                return e is JsonException ? Faulty : OnLog.Failed;
            }
            if (rules is not null) return await command(id, Encoding.UTF8.GetString(rules.ToJson()), stop);
            foreach (var (field, fault) in faults) Console.Error.WriteLine($"{field} {fault[0]}.");
            return Faulty;
        });

    private static GroupingChange NewChange(IServiceProvider services, int app, string kind, string rules) => new(
        Guid.CreateVersion7(), app, kind, rules, Actor.Admin, Instant.Now(services.GetRequiredService<TimeProvider>()));

    private static async Task<int> ShowAsync(IServiceProvider services, int app, CancellationToken stop)
    {
        var adopted = services.GetRequiredService<AdoptedRules>();
        await adopted.ReadAsync(stop);
        var serving = adopted.Of(app);
        Console.WriteLine($"{serving.Label} serves, with these rules of the application's own:");
        Console.WriteLine(Encoding.UTF8.GetString(serving.Rules.ToJson()));
        if (await services.GetRequiredService<GroupingChanges>().OpenAsync(app, stop) is { } open)
            Console.WriteLine($"Under way is {Describe(open)}.");
        return 0;
    }

    private static async Task<int> PreviewAsync(
        IServiceProvider services, GroupingChange change, CancellationToken stop)
    {
        var done = await CarryOutAsync(services, change, stop);
        if (done.State == GroupingChange.Failed) return OnLog.Fail($"It failed: {done.Fault}");
        var found = await services.GetRequiredService<GroupingChanges>().ResultAsync(done, stop);
        Console.WriteLine(
            $"Counted {N(found.Events)} events: {N(found.Moved)} would be in another issue. "
            + $"Issues: {N(found.Stay)} stay, {N(found.Merged)} merged, {N(found.Split)} split, "
            + $"{N(found.Conflicts)} of these in conflict with what people have merged.");
        if (found.Merged + found.Split == 0) return 0;
        AnsiConsole.Write(Show(found));
        if (found.Merged > MostShown || found.Split > MostShown)
            Console.WriteLine($"The {MostShown} with the most events of each kind are shown.");
        return 0;
    }

    private static Table Show(GroupingPreview found)
    {
        var table = new Table().AddColumns("change", "issue", "events", "from or into", "conflict");
        foreach (var merge in found.Merges.Take(MostShown))
            table.AddRow("merge", Issue(merge.Issue), N(merge.Events),
                Parts(merge.From.Select(part => ((int?)part.Issue, part.Events))), Conflict(merge.IsConflict));
        foreach (var split in found.Splits.Take(MostShown))
            table.AddRow("split", Issue(split.Issue), N(split.Events),
                Parts(split.Parts.Select(part => (part.Issue, part.Events))), Conflict(split.IsConflict));
        return table;
    }

    private static string Parts(IEnumerable<(int? Issue, long Events)> parts)
    {
        var all = parts.Select(part => $"{Issue(part.Issue)} ({N(part.Events)})").ToList();
        var rest = all.Count > MostParts ? $" and {N(all.Count - MostParts)} more" : "";
        return string.Join(", ", all.Take(MostParts)) + rest;
    }

    private static string Issue(int? issue) => issue is { } number ? $"{number}" : "new";

    private static string Conflict(bool isConflict) => isConflict ? "yes" : "";

    private static async Task<int> WithdrawAsync(IServiceProvider services, int app, CancellationToken stop)
    {
        var former = await services.GetRequiredService<GroupingChanges>().FormerRulesAsync(app, stop);
        return former is null
            ? OnLog.Fail("No rules were adopted, so there are none to withdraw.")
            : await ChangeAsync(services, NewChange(services, app, GroupingChange.Withdrawal, former), stop);
    }

    private static async Task<int> ChangeAsync(
        IServiceProvider services, GroupingChange change, CancellationToken stop)
    {
        if (await services.GetRequiredService<GroupingChanges>().OpenAsync(change.ApplicationId, stop) is { } open)
            return OnLog.Fail($"Nothing was begun, as other rules are about to serve: {Describe(open)}.");
        var done = await CarryOutAsync(services, change, stop);
        if (done.State == GroupingChange.Failed) return OnLog.Fail($"It failed: {done.Fault}");
        return await ShowAsync(services, change.ApplicationId, stop);
    }

    /// <summary>Begins a change and ends when it is done, here or at a node that was faster.</summary>
    private static async Task<GroupingChange> CarryOutAsync(
        IServiceProvider services, GroupingChange change, CancellationToken stop)
    {
        var changes = services.GetRequiredService<GroupingChanges>();
        if (!await changes.BeginAsync(change, stop))
            return change with { State = GroupingChange.Failed, Fault = "Other rules are just about to serve." };
        return await AnsiConsole.Progress().StartAsync(async bars =>
        {
            var bar = bars.AddTask(change.Kind);
            while (true)
            {
                await changes.CarryOutAsync(change.Id, now => Show(bar, now), stop);
                var now = (await changes.FindAsync(change.Id, stop))!;
                Show(bar, now);
                if (!now.IsOpen) return now;
                await Task.Delay(Pause, stop);
            }
        });
    }

    private static void Show(ProgressTask bar, GroupingChange now)
    {
        bar.MaxValue = Math.Max(1, now.Through);
        bar.Value = now.IsOpen ? Math.Min(now.Counted, now.Through) : bar.MaxValue;
        bar.Description = Describe(now);
    }

    private static string Describe(GroupingChange change) =>
        $"{change.Kind}, {change.State}: {N(change.Counted)} of {N(change.Through)}";

    private static string N(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
