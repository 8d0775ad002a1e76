using System.CommandLine;
using ErrorTracker.Http;
using ErrorTracker.Transfer;

namespace ErrorTracker.Commands;

/// <summary>What the command <c>demo</c> can be asked.</summary>
internal static class DemoCommand
{
    public static Command Define()
    {
        var events = Count("--events", "How many errors.", 1_000_000, 1_000_000_000);
        var days = Count("--days", "Over how many days, until now.", 30, 3650);
        var applications = Count("--apps", "Of how many new applications.", 5, 1000);
        return new OwnCommand(
            "demo",
            "Loads realistic errors to try it with, beside a running host or without one.",
            (services, parsed) => LoadDemo.RunAsync(
                services, parsed.GetValue(events), parsed.GetValue(days), parsed.GetValue(applications)))
        { events, days, applications };
    }

    private static Option<int> Count(string name, string description, int otherwise, int most) =>
        new(name)
        {
            Description = $"{description} 1 to {most}.",
            DefaultValueFactory = _ => otherwise,
            HelpName = "number",
            CustomParser = result =>
            {
                var faults = new Dictionary<string, string[]>();
                var number = Number.Optional(name, result.Tokens[0].Value, otherwise, 1, most, faults);
                foreach (var fault in faults.Values) result.AddError($"{name} {fault[0]}.");
                return number;
            },
        };
}
