using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Windows;

namespace ErrorTracker.Issues;

/// <summary>Which issues a list asks for.</summary>
/// <param name="Window">They have events in it.</param>
/// <param name="Level">Of their newest events; null: any.</param>
/// <param name="After">Where a list goes on; null: its first page.</param>
public sealed record IssueRequest(
    Window Window, string State, string? Level, IssueQuery Query, IssueSort Sort, int Limit, IssueCursor? After)
{
    internal bool IsFiltered => Level is not null || Query != IssueQuery.None;
}

/// <summary>Finds issues and says what they are called.</summary>
internal static class FindIssues
{
    /// <summary>
    /// Longer events are not read for a title if one is stored: that will do. Each is read after the other, as they may
    /// be large.
    /// </summary>
    private const int LongestRead = 64 * 1024;

    private static readonly string TextsSql =
        $"""
        with {IssueList.TailWith()}
        select g.number, coalesce(newest.level, g.level), g.title, g.type, g.place, newest.data
        from (
          select named.number, coalesce(g.group_key, n.key) as group_key,
            coalesce(g.level, '') as level, coalesce(g.title, '') as title, coalesce(g.type, '') as type,
            coalesce(g.place, '') as place, coalesce(g.text_seq, 0) as text_seq
          from unnest(@mains) as named(number)
          left join {IssueGroups.Folded} as g on g.number = named.number
          left join unnest(@new_numbers, @new_keys) as n(number, key) on n.number = named.number) as g
        left join lateral (
          select {LogRow.Level} as level,
            case when g.text_seq = 0 or pg_column_size(log.data) < {LongestRead} then log.data::text end as data
          from {LogSchema.Name}.mt_events as log
          where log.seq_id <> g.text_seq
            and log.seq_id = case when g.number = any(@fresh) then ({NewestOf("g")}) end) as newest
        on true
        """;

    private static string NewestOf(string group) =>
        $"""
        select latest.seq from (
          {IssueList.AllEventsOf(group, (at, seq) => $"order by {at} desc, {seq} desc limit 1")}) as latest
        order by latest.at desc, latest.seq desc limit 1
        """;

    /// <summary>
    /// Places of the log's end that no event can be seen of: some are still being written. The newest of them are
    /// enough, as nobody writes for long.
    /// </summary>
    private const string UnseenSql =
        $"""
        select empty.place from generate_series(greatest(@mark, @end - 10000) + 1, @end) as empty(place)
        where not exists (select from {LogSchema.Name}.mt_events as e where e.seq_id = empty.place)
        order by empty.place desc limit @most
        """;

    /// <summary>
    /// The places up to the end of the log whose events this snapshot does not show, in ascending order. Above the
    /// high-water mark an event may be seen before another one of a lower number is.
    /// </summary>
    public static async Task<IReadOnlyList<long>> UnseenAsync(
        Snapshot view, int applicationId, CancellationToken stop)
    {
        var (mark, end) = (view.Marks.Mark, view.Marks.End);
        if (mark >= end) return [];
        var question = QuestionOf(applicationId, Window.Everything,
            [("mark", mark), ("end", end), ("most", IssueCursor.MostUnseen)]);
        var places = await view.QueryAsync(UnseenSql, question, row => row.GetInt64(0), stop);
        places.Reverse();
        return places;
    }

    /// <summary>A page of issues, and one beyond it if there are more.</summary>
    /// <param name="view">Whose tail has been read.</param>
    public static async Task<List<FoundIssue>> PageAsync(
        Snapshot view, int applicationId, IssueRequest request, CancellationToken stop)
    {
        if (request.State is not (IssueState.Unresolved or IssueState.Everything)) return [];
        var question = QuestionOf(applicationId, request.Window,
        [
            ("limit", request.Limit + 1),
            ("issue_level", (object?)request.Level ?? DBNull.Value),
            ("words", request.Query.Words),
            ("releases", request.Query.Releases),
            ("environments", request.Query.Environments),
            .. After(request.After),
        ]);
        return await view.QueryAsync(IssueList.SqlOf(request), question, IssueList.Read, stop);
    }

    /// <summary>One issue; null if there is none of that number.</summary>
    public static async Task<FoundIssue?> OneAsync(
        Snapshot view, int applicationId, IssueGroups issue, Window window, CancellationToken stop)
    {
        var question = QuestionOf(applicationId, window, [("issue", issue.Number)]);
        var found = await view.QueryAsync(IssueList.SqlOfOne, question, IssueList.Read, stop);
        return found.SingleOrDefault();
    }

    /// <summary>What issues are called: after their newest events.</summary>
    public static async Task<List<IssueItem>> DescribeAsync(
        Snapshot view, int applicationId, List<FoundIssue> issues, CancellationToken stop)
    {
        if (issues.Count == 0) return [];
        var question = QuestionOf(applicationId, Window.Everything,
        [
            ("mains", issues.Select(issue => issue.Main).ToArray()),
            ("fresh", issues.Where(issue => issue.IsFresh).Select(issue => issue.Main).ToArray()),
        ]);
        var rows = await view.QueryAsync(TextsSql, question, row => (
            Number: row.GetInt32(0),
            Text: row.IsDBNull(5)
                ? new GroupText(row.GetString(1), row.GetString(2), row.GetString(3), row.GetString(4))
                : GroupText.Of(row.GetFieldValue<byte[]>(5), view.Rules.Rules)), stop);
        var texts = rows.ToDictionary(row => row.Number, row => row.Text);
        return issues.ConvertAll(issue => ItemOf(applicationId, issue, texts[issue.Main]));
    }

    private static IssueItem ItemOf(int applicationId, FoundIssue issue, GroupText text) => new(
        IssueId.Of(applicationId, issue.Keys[0]), issue.Number, text.Title, NullIfEmpty(text.Type),
        NullIfEmpty(text.Place), text.Level, IssueState.Unresolved, issue.FirstSeen, issue.LastSeen, issue.Count,
        issue.InWindow, AssignedTo: null, issue.Keys);

    private static string? NullIfEmpty(string text) => text.Length == 0 ? null : text;

    private static Question QuestionOf(int applicationId, Window window, (string Name, object Value)[] more) =>
        new(applicationId, window, Step.OfGroups, level: null, more);

    private static (string Name, object Value)[] After(IssueCursor? cursor) => cursor is null
        ? []
        :
        [
            ("seen_through", cursor.SeenThrough),
            ("unseen", cursor.Unseen.ToArray()),
            ("seen_at", cursor.SeenAt),
            ("value", cursor.Value),
            ("time", new DateTimeOffset(cursor.Value, TimeSpan.Zero)),
            ("number", cursor.Number),
        ];
}
