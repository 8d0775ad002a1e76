using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using ErrorTracker.Background;
using ErrorTracker.Log;
using Microsoft.Extensions.Logging.Console;
using Npgsql;

namespace ErrorTracker.Hosting;

/// <summary>
/// The console's log, in which warnings and errors of a fault that lasts are folded by <see cref="RepeatedLines"/>,
/// whoever writes them. An exception that says that the database is away is shown by its message: its stack tells
/// nothing.
/// </summary>
[ProviderAlias("Console")]
internal sealed partial class FoldedConsole : ILoggerProvider, ISupportExternalScope
{
    private const int LongestText = 500;

    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<string, ILogger> _console = [];
    private readonly ConsoleLoggerProvider _provider;
    private readonly RepeatedLines _repeated;
    private readonly ITimer _sweep;
    private int _sweeps;

    public FoldedConsole(ConsoleLoggerProvider provider, TimeProvider clock)
    {
        _provider = provider;
        _repeated = new(
            clock, (category, level, text) => ConsoleOf(category).Log(level, 0, text, null, (state, _) => state));
        _sweep = clock.CreateTimer(_ => Sweep(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public ILogger CreateLogger(string category) => new Folded(category, ConsoleOf(category), this);

    public void SetScopeProvider(IExternalScopeProvider scopes) => _provider.SetScopeProvider(scopes);

    /// <summary>The console's own provider is disposed after this, which uses it.</summary>
    public void Dispose()
    {
        _sweep.Dispose();
        _repeated.Finish();
    }

    private ILogger ConsoleOf(string category) => _console.GetOrAdd(category, _provider.CreateLogger);

    private bool IsFirst(LineKind kind, Func<string> text)
    {
        var isFirst = _repeated.IsFirst(kind, text);
        if (Interlocked.Exchange(ref _sweeps, 1) == 0) _sweep.Change(Second, Second);
        return isFirst;
    }

    /// <summary>The timer rests while no fault lasts.</summary>
    private void Sweep()
    {
        if (_repeated.Sweep()) return;
        _sweep.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Interlocked.Exchange(ref _sweeps, 0);
        var hasBegun = _repeated.Sweep(); // in between
        if (hasBegun && Interlocked.Exchange(ref _sweeps, 1) == 0) _sweep.Change(Second, Second);
    }

    private sealed class Folded(string category, ILogger console, FoldedConsole owner) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => console.BeginScope(state);

        public bool IsEnabled(LogLevel level) => console.IsEnabled(level);

        public void Log<TState>(
            LogLevel level, EventId id, TState state, Exception? failure, Func<TState, Exception?, string> format)
        {
            if (LastingFault.IsOver(id)) owner._repeated.End(category);
            if (level < LogLevel.Warning)
            {
                console.Log(level, id, state, failure, format);
                return;
            }
            var away = DatabaseAway.Find(failure);
            var reason = away is not null ? "the database is away" : ReasonOf(failure);
            var template = TemplateOf(state, failure, format);
            var kind = new LineKind(category, level, template, reason + ValueOf(state, "Reason"));
            if (!owner.IsFirst(kind, () => Short($"{format(state, failure)} {(away ?? failure)?.Message}"))) return;
            if (away is null) console.Log(level, id, state, failure, format);
            else console.Log(level, id, Short($"{format(state, failure)} {away.Message}"), null, (line, _) => line);
        }
    }

    /// <summary>
    /// The message with its places; where a library wrote the values into it, without what may differ each time.
    /// </summary>
    private static string TemplateOf<TState>(
        TState state, Exception? failure, Func<TState, Exception?, string> format) =>
        ValueOf(state, "{OriginalFormat}") is { Length: > 0 } template ? template : General(format(state, failure));

    private static string ReasonOf(Exception? failure) => failure switch
    {
        null => "",
        PostgresException { SqlState: var state } => $"{nameof(PostgresException)} {state}",
        _ => $"{failure.GetType()} {General(failure.Message)}",
    };

    private static string ValueOf<TState>(TState state, string name)
    {
        if (state is IReadOnlyList<KeyValuePair<string, object?>> values)
            foreach (var (key, value) in values)
                if (key == name) return General(value?.ToString() ?? "");
        return "";
    }

    private static string General(string text) => Numbers().Replace(Short(text), "#");

    private static string Short(string text) => text.Length <= LongestText ? text : text[..LongestText] + "…";

    /// <summary>Numbers, UUIDs and other hexadecimal words with a digit in them.</summary>
    [GeneratedRegex(@"\b[0-9a-fA-F-]*[0-9][0-9a-fA-F-]*|[0-9]+")]
    private static partial Regex Numbers();
}
