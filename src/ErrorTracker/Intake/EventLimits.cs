namespace ErrorTracker.Intake;

/// <summary>
/// What one event may be at most, whichever protocol brings it. Only its size in bytes makes it invalid; what is too
/// long or too many is cut, or kept in <c>context</c>, and named in <c>context.dropped</c>.
/// </summary>
internal static class EventLimits
{
    /// <summary>Bytes, inflated.</summary>
    public const int Largest = 1024 * 1024;

    /// <summary>Code points of the message.</summary>
    public const int LongestMessage = 8192;

    public const int MostTags = 64;

    /// <summary>What <c>context.dropped</c> says of them.</summary>
    public const string
        LongMessage = "has more than 8,192 characters: cut",
        TooManyTags = "has more than 64 members: the others are in context.tags";
}
