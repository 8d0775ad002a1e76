namespace ErrorTracker.Log;

/// <summary>Where PostgreSQL keeps the log and all that is made of it.</summary>
public static class LogSchema
{
    /// <summary>The schema's name; data, never changed.</summary>
    public const string Name = "errortracker";
}
