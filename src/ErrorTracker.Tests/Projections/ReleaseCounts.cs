using ErrorTracker.Log;
using ErrorTracker.Projections;

namespace ErrorTracker.Tests.Projections;

/// <summary>
/// The smallest projection there can be: one table of the events of an application by day and by their tag
/// <c>release</c>. A host that registers it does all with it that it does with the counters.
/// </summary>
internal static class ReleaseCounts
{
    private const string Table = "release_counts";

    public static readonly Projection Definition = new("ReleaseCounts", Version: 2)
    {
        Tables = [new(Table, Key: ["tenant_id text", "day timestamptz", "release text"], "count bigint")],
        Fold = (names, range) =>
            $"""
            insert into {names[Table]} as kept (tenant_id, day, release, count)
            select e.tenant_id,
              date_trunc('day', e.timestamp, 'UTC'),
              left(coalesce(e.data->'tags'->>'release', ''), 200),
              count(*)
            from {LogSchema.Name}.mt_events as e
            where {range.Holds("e")} and {LogRow.IsError}
            group by 1, 2, 3
            order by 1, 2, 3
            on conflict (tenant_id, day, release) do update set count = kept.count + excluded.count
            """,
        Proof = names => new(Recount, [new("d", Compare(names), Bucket: TimeSpan.FromDays(1))]),
    };

    private const string Recount =
        $"""
        select e.tenant_id, to_timestamp(floor(extract(epoch from e.timestamp) / 86400) * 86400) as day,
          substr(coalesce(e.data #>> array['tags', 'release'], ''), 1, 200) as release,
          count(*) as n
        from {LogSchema.Name}.mt_events as e
        where e.seq_id <= @folded and e.type = 'error_occurred'
          and e.timestamp >= '0001-01-01 00:00Z' and e.timestamp < '9999-12-01 00:00Z'
          and (@since is null or e.timestamp >= @since) and (@until is null or e.timestamp < @until)
        group by 1, 2, 3
        """;

    private static string Compare(TableNames names) =>
        $"""
        select tenant_id, day as bucket, release as subject,
          coalesce(kept.count, 0) as counted,
          coalesce(recount.n, 0) as recounted,
          coalesce(kept.count, 0) = coalesce(recount.n, 0) as agrees
        from {names[Table]} as kept
        full join recount using (tenant_id, day, release)
        """;
}
