using ErrorTracker.Issues;
using ErrorTracker.Windows;

namespace ErrorTracker.Tests.Issues;

/// <summary>
/// Which issues there are and what they count, made of the whole log event by event. It knows no counters, no buckets
/// and no SQL.
/// </summary>
/// <param name="events">The log, in its order.</param>
/// <param name="mark">Groups whose first event lies above it have no number yet.</param>
internal sealed class IssueOracle(List<LoggedEvent> events, long mark)
{
    private readonly Dictionary<string, int> _numbers = events
        .Where(e => e.Sequence <= mark).Select(e => e.Key).Distinct()
        .Select((key, i) => (key, Number: i + 1)).ToDictionary(pair => pair.key, pair => pair.Number);

    /// <summary>Of each number that was merged, the issue that it is in.</summary>
    public Dictionary<int, int> Members { get; init; } = [];

    public IEnumerable<LoggedEvent> Events => events;

    public int Count => _numbers.Count;

    public int? NumberOf(LoggedEvent e) => _numbers.TryGetValue(e.Key, out var number) ? number : null;

    public int? IssueOf(LoggedEvent e) => NumberOf(e) is { } number ? IssueOf(number) : null;

    public int IssueOf(int number) => Members.GetValueOrDefault(number, number);

    public IEnumerable<LoggedEvent> EventsOf(int issue) => events.Where(e => IssueOf(e) == issue);

    /// <summary>The keys of an issue, that of its own number first, then by number.</summary>
    public string[] KeysOf(int issue) =>
    [
        .. _numbers.Where(pair => IssueOf(pair.Value) == issue)
            .OrderBy(pair => pair.Value != issue).ThenBy(pair => pair.Value).Select(pair => pair.Key),
    ];

    public IEnumerable<int> Issues => _numbers.Values.Select(IssueOf).Distinct();

    public static bool Holds(Window window, LoggedEvent e) => e.At >= window.Since && e.At < window.Until;

    /// <summary>Of several the one that was received last; of those that were at the same moment, the log's last.</summary>
    public static LoggedEvent Newest(IEnumerable<LoggedEvent> some) =>
        some.MaxBy(e => (e.At, e.Sequence))!;

    /// <summary>What a list shows of an issue.</summary>
    public Shown Show(int issue, Window window)
    {
        var own = EventsOf(issue).ToList();
        var newest = Newest(own).Text;
        return new(
            issue, newest.Title, newest.Level, own.Min(e => e.At), own.Max(e => e.At), own.Count,
            own.Count(e => Holds(window, e)), string.Join(' ', KeysOf(issue)));
    }

    /// <summary>The whole list.</summary>
    public List<Shown> List(IssueListQuery asked) =>
    [
        .. Issues.Where(issue => Matches(issue, asked)).Select(issue => Show(issue, asked.Window))
            .Where(shown => shown.InWindow > 0)
            .OrderByDescending(shown => asked.Sort switch
            {
                "count" => shown.Count,
                "first_seen" => shown.FirstSeen.Ticks,
                _ => shown.LastSeen.Ticks,
            }).ThenByDescending(shown => shown.Number),
    ];

    private bool Matches(int issue, IssueListQuery asked)
    {
        var own = EventsOf(issue).ToList();
        var text = Newest(own).Text;
        return (asked.Level is null || text.Level == asked.Level)
            && (asked.Word is null || text.Title.Contains(asked.Word))
            && (asked.Release is null || own.Any(e => e.Release == asked.Release))
            && (asked.Environment is null || own.Any(e => e.Environment == asked.Environment));
    }

    /// <summary>An issue as the list shows it.</summary>
    public sealed record Shown(
        int Number, string Title, string Level, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count,
        long InWindow, string Keys)
    {
        public static Shown Of(IssueItem item) => new(
            item.Number, item.Title, item.Level, item.FirstSeen, item.LastSeen, item.Count, item.CountInWindow,
            string.Join(' ', item.Keys));
    }
}

/// <summary>What a list of issues is asked for.</summary>
internal sealed record IssueListQuery(
    Window Window, string Sort, string? Level, string? Word, string? Release, string? Environment)
{
    public static readonly IssueListQuery Everything = new(Window.Everything, "last_seen", null, null, null, null);

    public string ToUrl()
    {
        var terms = new List<string>();
        if (Word is not null) terms.Add(Word);
        if (Release is not null) terms.Add($"release:{Release}");
        if (Environment is not null) terms.Add($"environment:{Environment}");
        var parts = new List<string> { $"sort={Sort}" };
        if (Window.Since > DateTimeOffset.MinValue) parts.Add($"since={Written(Window.Since)}");
        if (Window.Until < DateTimeOffset.MaxValue) parts.Add($"until={Written(Window.Until)}");
        if (Level is not null) parts.Add($"level={Level}");
        if (terms.Count > 0) parts.Add($"query={Uri.EscapeDataString(string.Join(' ', terms))}");
        return string.Join('&', parts);
    }

    public static string Written(DateTimeOffset time) => $"{time:yyyy-MM-ddTHH:mm:ss.ffffffZ}";
}
