using System.CommandLine;
using System.CommandLine.Parsing;
using ErrorTracker.Http;

namespace ErrorTracker.Commands;

/// <summary>The options of a window of events: <c>--since</c>, part of it, and <c>--until</c>, not part of it.</summary>
internal static class TimeOptions
{
    public static Option<string> Since() => new("--since") { Description = "From this moment on.", HelpName = "time" };

    public static Option<string> Until() => new("--until") { Description = "Before this moment.", HelpName = "time" };

    /// <summary>Both must be times, if they are given, and in this order.</summary>
    public static void Validate(CommandResult result, Option<string> since, Option<string> until)
    {
        var faults = new Dictionary<string, string[]>();
        var from = Instant.Optional("--since", result.GetValue(since), faults);
        var to = Instant.Optional("--until", result.GetValue(until), faults);
        foreach (var (option, fault) in faults) result.AddError($"{option} {fault[0]}.");
        if (faults.Count == 0 && from >= to) result.AddError("--since must be before --until.");
    }

    /// <summary>One that <see cref="Validate"/> has let pass; null if it is absent.</summary>
    public static DateTimeOffset? TimeOf(this ParseResult parsed, Option<string> option) =>
        Instant.Optional("", parsed.GetValue(option), []);
}
