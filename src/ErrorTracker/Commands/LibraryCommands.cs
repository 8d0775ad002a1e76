using JasperFx;
using JasperFx.CommandLine;
using JasperFx.CommandLine.Commands;
using JasperFx.CommandLine.Help;
using Spectre.Console;
using Command = System.CommandLine.Command;

namespace ErrorTracker.Commands;

/// <summary>
/// Commands of the libraries (<c>db-apply</c>, <c>codegen</c> …): JasperFx parses their arguments, here once before
/// anything is started.
/// </summary>
internal static class LibraryCommands
{
    private static readonly string[] WithoutDatabase = ["codegen", "openapi"];

    /// <summary>Names that mean something else here.</summary>
    private static readonly string[] Replaced = ["help", "projections"];

    private static readonly Type[] OneOfEachLibrary =
    [
        typeof(RunCommand), typeof(JasperFx.Events.IEvent), typeof(Weasel.Core.Migrations.IDatabase),
        typeof(Marten.IDocumentStore), typeof(Wolverine.IMessageBus), typeof(Wolverine.Http.WolverineGetAttribute),
    ];

    private static readonly Lazy<CommandFactory> Factory = new(() =>
    {
        var factory = new CommandFactory();
        foreach (var type in OneOfEachLibrary) factory.RegisterCommands(type.Assembly);
        return factory;
    });

    public static bool Knows(string name) =>
        !name.StartsWith('-') && Types().Any(type => CommandFactory.CommandNameFor(type) == name);

    /// <summary>For the list that help shows.</summary>
    public static IEnumerable<Command> List() =>
        Types().Select(type => new Command(CommandFactory.CommandNameFor(type), CommandFactory.DescriptionFor(type)))
            .OrderBy(command => command.Name);

    public static Invocation Read(string[] configuration, string[] words)
    {
        if (words.Any(word => word is "--help" or "-h" or "-?"))
        {
            Factory.Value.HelpRun(words[0]).Execute();
            return new(configuration, ExitCode: 0);
        }
        if (!IsUnderstood(words)) return new(configuration, ExitCode: CommandLine.Misused);
        return new(
            configuration,
            app => app.RunJasperFxCommands(words),
            NeedsDatabase: !WithoutDatabase.Contains(words[0]),
            ShowsSettings: words[0] == "describe");
    }

    /// <summary>JasperFx itself writes what is wrong with the arguments, and then how they should be.</summary>
    private static bool IsUnderstood(string[] words)
    {
        var console = AnsiConsole.Console;
        var isLenient = JasperFxEnvironment.AutoStartHost;
        JasperFxEnvironment.AutoStartHost = false; // a test host sets it, and then unknown flags are passed over
        AnsiConsole.Console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });
        try
        {
            var run = Factory.Value.BuildRun(words);
            if (run.Command is not HelpCommand) return true;
            run.Execute();
            return false;
        }
        finally
        {
            AnsiConsole.Console = console;
            JasperFxEnvironment.AutoStartHost = isLenient;
        }
    }

    private static IEnumerable<Type> Types() =>
        Factory.Value.AllCommandTypes().Where(type => !Replaced.Contains(CommandFactory.CommandNameFor(type)));
}
