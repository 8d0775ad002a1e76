namespace ErrorTracker.Outcomes;

/// <summary>Why an SDK dropped data, and of which category, in the SDK's own words.</summary>
public readonly record struct DropPair(string Reason, string Category)
{
    /// <summary>Pairs beyond the limit are counted under this one.</summary>
    public static readonly DropPair Other = new("other", "other");
}

/// <summary>
/// The pairs that each application has used on its current day (UTC). A sender can invent as many as it likes: the
/// first <see cref="Most"/> keep their names, and all others become <see cref="DropPair.Other"/>. Not thread-safe.
/// </summary>
internal sealed class DropPairs
{
    /// <summary>Of an application and a day.</summary>
    public const int Most = 100;

    private readonly Dictionary<int, (DateOnly Day, HashSet<DropPair> Pairs)> _known = [];
    private DateOnly _today;

    public DropPair Admit(int application, DateOnly day, DropPair pair)
    {
        if (day > _today) _today = day;
        if (!_known.TryGetValue(application, out var known) || known.Day < day)
        {
            known = (day, []);
            _known[application] = known;
        }
        if (known.Pairs.Count < Most) known.Pairs.Add(pair);
        return known.Pairs.Contains(pair) ? pair : DropPair.Other;
    }

    /// <summary>Gives back the memory of applications that have sent nothing since the day changed.</summary>
    public void ForgetPast()
    {
        foreach (var (application, known) in _known)
            if (known.Day < _today) _known.Remove(application);
    }
}
