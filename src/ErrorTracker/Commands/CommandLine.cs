using System.CommandLine;

namespace ErrorTracker.Commands;

/// <summary>What the arguments ask for.</summary>
/// <param name="Configuration">Arguments for the host's configuration.</param>
/// <param name="Run">The command, on a host that is built and not started; null to serve.</param>
/// <param name="NeedsDatabase">False if the command works without one.</param>
/// <param name="ShowsSettings">Whether the command writes the configuration out.</param>
/// <param name="ExitCode">Not null if all is said: help, the version, or what is mistyped.</param>
internal sealed record Invocation(
    string[] Configuration,
    Func<IHost, Task<int>>? Run = null,
    bool NeedsDatabase = true,
    bool ShowsSettings = false,
    int? ExitCode = null);

/// <summary>
/// What a shell can ask: the program's own commands, else those of its libraries. This room parses the arguments as a
/// whole before anything is started, so that help and mistyped arguments touch no database. A command is given the
/// services of a host that is built and not started. The room may use Transfer and the rooms below it.
/// </summary>
internal static class CommandLine
{
    /// <summary>The exit code for arguments that cannot be understood, as shells have it.</summary>
    public const int Misused = 2;

    private const string Description =
        """
        Collects, stores and analyses error events. Without a command it serves until it is stopped.
        Settings are environment variables such as ErrorTracker__DataFolder, or arguments such as
        --ErrorTracker:DataFolder=PATH;
        docs/operations.md lists them.
        """;

    public static Invocation Read(string[] args)
    {
        var (configuration, words) = ConfigurationArguments.Split(args);
        if (words is ["help", .. var about]) words = [.. about, "--help"];
        if (words is [var name, ..] && LibraryCommands.Knows(name))
            return LibraryCommands.Read(configuration, words);

        var withoutResponseFiles = new ParserConfiguration { ResponseFileTokenReplacer = null };
        var parsed = Root(withLibraries: words.Length > 0).Parse(words, withoutResponseFiles);
        if (parsed.Errors.Count > 0) return new(configuration, ExitCode: Refuse(parsed));
        var command = parsed.CommandResult.Command;
        var isHelpOrVersion = parsed.Action != command.Action;
        if (isHelpOrVersion) return new(configuration, ExitCode: parsed.Invoke());
        return command is OwnCommand own
            ? new(configuration, app => own.RunAsync(app.Services, parsed))
            : new(configuration);
    }

    private static int Refuse(ParseResult parsed)
    {
        foreach (var error in parsed.Errors) Console.Error.WriteLine(error.Message);
        Console.Error.WriteLine("Nothing was done. Run with --help to see what can be asked for.");
        return Misused;
    }

    private static RootCommand Root(bool withLibraries)
    {
        var root = new RootCommand(Description)
        {
            DemoCommand.Define(), ProjectionCommands.Define(), GroupingCommands.Define(),
        };
        root.SetAction(_ => 0);
        root.Directives.Clear();
        // With addresses, --urls is among the arguments for the configuration: what comes here has none.
        var urls = new Option<string>("--urls")
        {
            Description = "Where to listen; http://localhost:8000 unless set.",
            HelpName = "addresses",
        };
        urls.Validators.Add(result => result.AddError("--urls needs addresses."));
        root.Options.Add(urls);
        if (withLibraries)
            foreach (var command in LibraryCommands.List()) root.Subcommands.Add(command);
        return root;
    }
}
