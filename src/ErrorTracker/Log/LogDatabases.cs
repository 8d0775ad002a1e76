using System.Diagnostics.CodeAnalysis;

namespace ErrorTracker.Log;

/// <summary>
/// The databases that logs live in. Whoever reads or writes asks here which one it is: an application lives in one log,
/// and not all in the same one for ever. Today there is one database.
/// </summary>
public sealed class LogDatabases(LogDatabase main) : IAsyncDisposable
{
    /// <summary>The one of what belongs to no log: applications, their keys, outcomes and nodes.</summary>
    public LogDatabase Main => main;

    public IReadOnlyList<LogDatabase> All { get; } = [main];

    /// <summary>The one that the log of this application is in.</summary>
    [SuppressMessage("Style", "IDE0060", Justification = "It decides as soon as there are several databases.")]
    public LogDatabase Of(int application) => main;

    public async ValueTask DisposeAsync()
    {
        foreach (var database in All) await database.DisposeAsync();
    }
}
