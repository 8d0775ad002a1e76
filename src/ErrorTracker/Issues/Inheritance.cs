using ErrorTracker.Counters;

namespace ErrorTracker.Issues;

/// <summary>Which groups take over which numbers when other rules come to serve. Pure.</summary>
internal static class Inheritance
{
    /// <summary>
    /// A group takes over the number of the group that most of its events come from. Of several that would take the same
    /// number, the one that most of that group's events go to does, and the others are new.
    /// </summary>
    /// <returns>By key; keys that are not in it are new.</returns>
    public static Dictionary<string, int> Of(IReadOnlyCollection<KeyPair> pairs)
    {
        var favourites =
            from pair in pairs
            group pair by pair.Key into ofKey
            select ofKey.OrderByDescending(pair => pair.Events).ThenBy(pair => pair.Number).First();
        var heirs =
            from favourite in favourites
            group favourite by favourite.Number into ofNumber
            select ofNumber.OrderByDescending(pair => pair.Events).ThenBy(pair => pair.FirstSequence).First();
        return heirs.ToDictionary(heir => heir.Key, heir => heir.Number);
    }
}
