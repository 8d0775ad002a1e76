namespace ErrorTracker.Background;

/// <summary>
/// How a fault that lasts is logged: each time, as the console folds repeated lines to the first and a count each
/// minute.
/// </summary>
internal static class LastingFault
{
    /// <summary>The event id of a line that says that what its category warned of is over.</summary>
    public static readonly EventId Over = new(14_210, "LastingFaultOver");

    /// <summary>Ids are equal by their number alone, which libraries use as well.</summary>
    public static bool IsOver(EventId id) => id == Over && id.Name == Over.Name;
}
