using System.CommandLine;

namespace ErrorTracker.Commands;

/// <summary>A command of ours: what it is asked, and what it does with the services of a host that is not started.</summary>
internal sealed class OwnCommand : Command
{
    private readonly Func<IServiceProvider, ParseResult, Task<int>> _run;

    public OwnCommand(string name, string description, Func<IServiceProvider, ParseResult, Task<int>> run)
        : base(name, description)
    {
        _run = run;
        SetAction(_ => 0); // without one it would count as a group of commands
    }

    public Task<int> RunAsync(IServiceProvider services, ParseResult parsed) => _run(services, parsed);
}
