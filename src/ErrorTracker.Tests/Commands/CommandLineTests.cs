using ErrorTracker.Commands;
using ErrorTracker.Tests.Hosting;

namespace ErrorTracker.Tests.Commands;

/// <summary>Help and mistyped arguments do nothing: no cluster is made, no database is asked.</summary>
[Collection(nameof(OnAnotherPostgres))]
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("--help", "Usage:")]
    [InlineData("-h", "Usage:")]
    [InlineData("help", "db-apply")]
    [InlineData("--version", ".")]
    [InlineData("demo --help", "--events <number>")]
    [InlineData("help demo", "--events <number>")]
    [InlineData("demo --events 5 --help", "--events <number>")]
    [InlineData("projections --help", "rebuild")]
    [InlineData("projections verify --help", "--since <time>")]
    [InlineData("grouping preview --help", "--rules <file>")]
    [InlineData("db-apply --help", "--database")]
    [InlineData("help db-patch", "filename")]
    public void help_is_answered_and_nothing_is_done(string arguments, string said)
    {
        var (invocation, output) = Read(arguments);
        Assert.Equal(0, invocation.ExitCode);
        Assert.Contains(said, output);
    }

    [Theory]
    [InlineData("demo --event 100", "'--event'")]
    [InlineData("demo --events", "--events")]
    [InlineData("demo --events many", "--events must be a whole number from 1 to 1000000000.")]
    [InlineData("demo --events 0", "--events must be a whole number from 1 to 1000000000.")]
    [InlineData("demo --days 4000 --apps 1", "--days must be a whole number from 1 to 3650.")]
    [InlineData("demo 100", "'100'")]
    [InlineData("demoo", "'demoo'")]
    [InlineData("projections", "command")]
    [InlineData("projections dance", "'dance'")]
    [InlineData("projections verify --since yesterday", "--since must be an RFC 3339 time")]
    [InlineData("projections verify --since 2026-01-02 --until 2026-01-01", "--since must be before --until.")]
    [InlineData("projections verify --from 2026-01-02", "'--from'")]
    [InlineData("projections rebuild --bogus", "'--bogus'")]
    [InlineData("projections prune now", "'now'")]
    [InlineData("grouping adopt --app 1", "--rules")]
    [InlineData("grouping show --app 0", "--app must be")]
    [InlineData("grouping preview --app 1 --rules r.json --since now", "--since must be an RFC 3339 time")]
    [InlineData("--bogus", "'--bogus'")]
    [InlineData("--url http://localhost:9000", "'--url'")]
    [InlineData("--urls", "'--urls'")]
    [InlineData("--urls --help-me", "--urls needs addresses.")]
    [InlineData("--ErrorTraker:DataFolder=/tmp", "--ErrorTraker:DataFolder")]
    [InlineData("serve", "'serve'")]
    [InlineData("db-apply --bogus", "--bogus")]
    [InlineData("db-patch", "filename")]
    public void what_is_mistyped_is_named_and_nothing_is_done(string arguments, string said)
    {
        var (invocation, output) = Read(arguments);
        Assert.Equal((2, null), (invocation.ExitCode, invocation.Run));
        Assert.Contains(said, output);
    }

    [Theory]
    [InlineData("", false, "")]
    [InlineData("--urls http://localhost:9000", false, "--urls=http://localhost:9000")]
    [InlineData(
        "--urls=http://localhost:9000 --ErrorTracker:SingleNode true",
        false,
        "--urls=http://localhost:9000 --ErrorTracker:SingleNode=true")]
    [InlineData("demo --events 5 --ErrorTracker:DataFolder=/tmp/x", true, "--ErrorTracker:DataFolder=/tmp/x")]
    [InlineData("projections verify --since 2026-01-01", true, "")]
    [InlineData("projections rebuild counters", true, "")]
    [InlineData("db-assert --ConnectionStrings:ErrorTracker=Host=h", true, "--ConnectionStrings:ErrorTracker=Host=h")]
    public void what_is_understood_configures_and_runs(string arguments, bool isCommand, string configuration)
    {
        var (invocation, _) = Read(arguments);
        Assert.Equal(
            (null, isCommand, configuration),
            (invocation.ExitCode, invocation.Run is not null, string.Join(' ', invocation.Configuration)));
    }

    [Fact]
    public void generating_code_needs_no_database() => Assert.False(Read("codegen write").Invocation.NeedsDatabase);

    [Theory]
    [InlineData("demo --help", 0)]
    [InlineData("demo --event 100", 2)]
    [InlineData("db-apply --bogus", 2)]
    [InlineData("--bogus", 2)]
    public async Task the_program_ends_with_that_code_and_leaves_the_data_folder_alone(string arguments, int exitCode)
    {
        var folder = Path.Combine(Path.GetTempPath(), "errortracker-tests-" + Guid.NewGuid().ToString("N")[..8]);
        var (ended, _) = await HostProcess.RunAsync(arguments.Split(' '), ("ErrorTracker__DataFolder", folder));
        Assert.Equal(exitCode, ended);
        Assert.False(Directory.Exists(folder));
    }

    private static (Invocation Invocation, string Output) Read(string arguments)
    {
        lock (typeof(Console))
        {
            var (output, errors, console) = (Console.Out, Console.Error, Spectre.Console.AnsiConsole.Console);
            using var said = new StringWriter();
            Console.SetOut(said);
            Console.SetError(said);
            Spectre.Console.AnsiConsole.Console =
                Spectre.Console.AnsiConsole.Create(new() { Out = new Spectre.Console.AnsiConsoleOutput(said) });
            try
            {
                return (CommandLine.Read(arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)), said.ToString());
            }
            finally
            {
                Console.SetOut(output);
                Console.SetError(errors);
                Spectre.Console.AnsiConsole.Console = console;
            }
        }
    }
}
