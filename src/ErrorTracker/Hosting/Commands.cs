using ErrorTracker.Demo;
using JasperFx;

namespace ErrorTracker.Hosting;

/// <summary>What the program does instead of serving: its own commands, else those of its libraries (<c>db-apply</c>, <c>codegen</c>, <c>help</c> …).</summary>
internal static class Commands
{
    /// <summary>Arguments that start with an option configure the host; any other first word is a command.</summary>
    public static bool IsCommand(string[] args) => args is [[not '-', ..], ..];

    public static Task<int> RunCommandAsync(this WebApplication app, string[] args) => args switch
    {
        ["demo", .. var options] => LoadDemo.RunAsync(app.Services, options),
        ["projections", .. var options] => ProjectionCommands.RunAsync(app.Services, options),
        _ => app.RunJasperFxCommands(args),
    };
}
