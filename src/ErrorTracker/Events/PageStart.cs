using ErrorTracker.Counters;
using ErrorTracker.Windows;

namespace ErrorTracker.Events;

/// <summary>Where a page starts: skip so many of the events before <paramref name="Until"/>, newest first.</summary>
internal sealed record PageStart(DateTimeOffset Until, int Skip)
{
    /// <summary>So many events may be skipped one by one: it costs less than asking the counters.</summary>
    private const int Walkable = 200;

    private static readonly string Sql =
        $"""
        select bucket, (upto - n)::int from (
          select bucket, n, sum(n) over (order by bucket desc)::bigint as upto from (
            select date_bin(@length, at, timestamptz '1970-01-01 00:00Z') as bucket, sum(n)::bigint as n from (
              select bucket as at, n from {Snapshot.Counted("bucket, count as n", CounterTables.Current.Levels)}
              union all
              select timestamp, 1 from {Snapshot.Loose("timestamp")}) as parts
            group by 1) as buckets) as summed
        where upto > @offset order by bucket desc limit 1
        """;

    /// <summary>
    /// Days, then hours, then minutes tell by their counts which of them an offset falls into, so that only that one is walked and a page
    /// costs the same wherever it is. Null if the window holds fewer events.
    /// </summary>
    public static async Task<PageStart?> FindAsync(SnapshotView view, Question question, int offset, CancellationToken stop)
    {
        var window = question.Window;
        for (var ladder = Step.OfLevels; ladder.Length > 0 && offset > Walkable; ladder = ladder[1..])
        {
            var found = await view.QueryAsync(Sql, new Question(question.ApplicationId, window, ladder, question.Level, ("length", ladder[0].Length), ("offset", (long)offset)),
                row => (Bucket: row.GetFieldValue<DateTimeOffset>(0), Newer: row.GetInt32(1)), stop);
            if (found is not [var (bucket, newer)]) return null;
            offset -= newer;
            window = new(bucket > window.Since ? bucket : window.Since, bucket + ladder[0].Length < window.Until ? bucket + ladder[0].Length : window.Until);
        }
        return new(window.Until, offset);
    }
}
