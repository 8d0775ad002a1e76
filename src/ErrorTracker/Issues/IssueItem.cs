using ErrorTracker.Statistics;

namespace ErrorTracker.Issues;

/// <summary>Errors that are the same. Times and counts include every event whose 201 has been answered.</summary>
/// <param name="Id" example="8c7e4d52-0c1f-8a53-9d62-1f0b7a64a1de">Of the application and the issue's first key; the same
/// after a rebuild.</param>
/// <param name="Number" example="7">Within the application: 1, 2, 3 … in the order in which issues first appeared.</param>
/// <param name="Title" example="TimeoutException: The order service did not answer">Type and text of the error, or the
/// message; of the newest event.</param>
/// <param name="Type" example="TimeoutException">Of the error; null if it has none.</param>
/// <param name="Place" example="Shop.Cart.Total">Where it happened; null if it is not known.</param>
/// <param name="Level" example="ERROR">Of the newest event.</param>
/// <param name="State" example="unresolved">What has been decided.</param>
/// <param name="FirstSeen" example="2026-01-30T08:00:01.5Z">The earliest received_at of its events.</param>
/// <param name="LastSeen" example="2026-01-31T12:34:57.012345Z">The latest received_at of its events.</param>
/// <param name="Count" example="4711">All of its events.</param>
/// <param name="CountInWindow" example="42">Those of the window; all without one.</param>
/// <param name="AssignedTo" example="ada">Who looks after it; null: nobody.</param>
/// <param name="Keys">The group keys that it consists of, by their numbers.</param>
public sealed record IssueItem(
    Guid Id, int Number, string Title, string? Type, string? Place, string Level, string State,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count, long CountInWindow, string? AssignedTo,
    IReadOnlyList<string> Keys);

/// <summary>A page of an application's issues.</summary>
/// <param name="NextCursor" example="MXwxMjM0">What to ask for next, as `cursor`; null on the last page.</param>
/// <param name="SeenThrough" example="1234567">The place of the log that the list includes. Events after it have not been
/// seen by its reader.</param>
public sealed record IssuePage(IReadOnlyList<IssueItem> Items, string? NextCursor, long SeenThrough);

/// <summary>An issue, with the events of a window by what they have in common.</summary>
/// <param name="Id" example="8c7e4d52-0c1f-8a53-9d62-1f0b7a64a1de">As in lists.</param>
/// <param name="Number" example="7">As in lists.</param>
/// <param name="Title" example="TimeoutException: The order service did not answer">As in lists.</param>
/// <param name="Type" example="TimeoutException">As in lists.</param>
/// <param name="Place" example="Shop.Cart.Total">As in lists.</param>
/// <param name="Level" example="ERROR">As in lists.</param>
/// <param name="State" example="unresolved">As in lists.</param>
/// <param name="FirstSeen" example="2026-01-30T08:00:01.5Z">As in lists.</param>
/// <param name="LastSeen" example="2026-01-31T12:34:57.012345Z">As in lists.</param>
/// <param name="Count" example="4711">All of its events.</param>
/// <param name="CountInWindow" example="42">Those of the window.</param>
/// <param name="AssignedTo" example="ada">As in lists.</param>
/// <param name="Keys">As in lists.</param>
/// <param name="Since" example="2026-01-01T00:00:00Z">Start of the window, part of it.</param>
/// <param name="Until" example="2026-02-01T00:00:00Z">End of the window, not part of it.</param>
/// <param name="Interval" example="HOUR">Of the series.</param>
/// <param name="Series">The events of the window over time; buckets without events are left out.</param>
/// <param name="ByLevel">The events of the window by level, the most frequent first.</param>
/// <param name="ByRelease">The events of the window by release, the most frequent first; null: they name none.</param>
/// <param name="ByEnvironment">The events of the window by environment, the most frequent first.</param>
/// <param name="History">What people have decided about it, the newest first.</param>
/// <param name="SeenThrough" example="1234567">The place of the log that the answer includes.</param>
public sealed record IssueDetails(
    Guid Id, int Number, string Title, string? Type, string? Place, string Level, string State,
    DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count, long CountInWindow, string? AssignedTo,
    IReadOnlyList<string> Keys, DateTimeOffset Since, DateTimeOffset Until, string Interval,
    IReadOnlyList<BucketCount> Series, IReadOnlyList<LevelCount> ByLevel, IReadOnlyList<ReleaseCount> ByRelease,
    IReadOnlyList<EnvironmentCount> ByEnvironment, IReadOnlyList<DecisionItem> History, long SeenThrough);

/// <summary>A release and its events.</summary>
/// <param name="Release" example="2.4.1">As events name it; null: none.</param>
/// <param name="Count" example="40">Events.</param>
public sealed record ReleaseCount(string? Release, long Count);

/// <summary>An environment and its events.</summary>
/// <param name="Environment" example="production">As events name it; null: none.</param>
/// <param name="Count" example="40">Events.</param>
public sealed record EnvironmentCount(string? Environment, long Count);
