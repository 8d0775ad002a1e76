using ErrorTracker.Log;

namespace ErrorTracker.Issues;

/// <summary>
/// The stream <c>groups/{application}</c>, which holds what was decided about the issues of an application, and the
/// events of commands that have ids.
/// </summary>
internal static class DecisionStream
{
    public static Guid Of(int applicationId) => DerivedId.Of($"groups/{applicationId}");

    /// <summary>
    /// The event of a command that its sender has named: PostgreSQL holds that there is one. A sender can meet neither
    /// the commands of other applications nor the errors of its own.
    /// </summary>
    public static Guid EventOf(int applicationId, Guid command) => DerivedId.Of($"decisions/{applicationId}/{command}");
}
