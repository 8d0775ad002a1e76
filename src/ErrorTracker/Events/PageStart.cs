using ErrorTracker.Counters;
using ErrorTracker.Windows;

namespace ErrorTracker.Events;

/// <summary>Where a page starts: skip so many of the events before <paramref name="Until"/>, newest first.</summary>
internal sealed record PageStart(DateTimeOffset Until, int Skip)
{
    /// <summary>So many events may be skipped one by one: it costs less than asking the counters.</summary>
    private const int Walkable = 200;

    /// <summary>The newest bucket that the offset reaches into, and how many events are newer than all of it.</summary>
    internal static readonly string
        Sql = SqlOf(CounterTables.Current.Levels, Scope.All),
        SqlOfIssue = SqlOf(CounterTables.Current.GroupCounts, Scope.OneIssue);

    private static string SqlOf(string table, Scope scope) =>
        $"""
        select summed.bucket, (summed.upto - summed.n)::int from (
          select buckets.bucket, buckets.n, sum(buckets.n) over (order by buckets.bucket desc)::bigint as upto from (
            select date_bin(@length, parts.at, timestamptz '1970-01-01 00:00Z') as bucket, sum(parts.n)::bigint as n
            from (
              select counted.bucket as at, counted.n
              from {WindowSql.Counted("bucket, count as n", table, scope)}
              union all
              select loose.timestamp, 1 from {WindowSql.Loose("timestamp", scope)}) as parts
            group by 1) as buckets) as summed
        where summed.upto > @offset order by summed.bucket desc limit 1
        """;

    /// <summary>
    /// Days, then hours, then minutes tell by their counts which of them an offset falls into, so that only that one is
    /// walked and a page costs the same wherever it is. Null if the window holds fewer events.
    /// </summary>
    public static async Task<PageStart?> FindAsync(
        Snapshot view, Question question, int offset, CancellationToken stop)
    {
        var window = question.Window;
        var isOfIssue = question.Issue is not null;
        for (var ladder = isOfIssue ? Step.OfGroups : Step.OfLevels; ladder.Length > 0 && offset > Walkable; ladder = ladder[1..])
        {
            var length = ladder[0].Length;
            var counts = new Question(question.ApplicationId, window, ladder, question.Level,
                ("length", length), ("offset", (long)offset))
            {
                Issue = question.Issue,
            };
            var found = await view.QueryAsync(
                isOfIssue ? SqlOfIssue : Sql, counts, row => (Bucket: row.GetFieldValue<DateTimeOffset>(0), Newer: row.GetInt32(1)), stop);
            if (found is not [var (bucket, newer)]) return null;
            offset -= newer;
            window = Within(window, bucket, bucket + length);
        }
        return new(window.Until, offset);
    }

    /// <summary>A bucket's part of the window.</summary>
    private static Window Within(Window window, DateTimeOffset start, DateTimeOffset end) =>
        new(start > window.Since ? start : window.Since, end < window.Until ? end : window.Until);
}
