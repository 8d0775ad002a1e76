using ErrorTracker.Counters;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Windows;
using Npgsql;

namespace ErrorTracker.Issues;

/// <summary>An issue as it is found, before its texts are read.</summary>
/// <param name="Main">The number of the group that its newest event belongs to.</param>
/// <param name="Value">What it is sorted by.</param>
/// <param name="IsFresh">It has events that its stored texts may not be of.</param>
/// <param name="Keys">Of its groups, that of its own number first.</param>
internal sealed record FoundIssue(
    int Number, int Main, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, long Count, long InWindow, long Value,
    bool IsFresh, string[] Keys);

/// <summary>
/// Finds a page of issues. Most issues consist of one group that has no events but those of closed minutes: they are
/// read in the order of an index, as far as the page needs. The others, <c>special</c>, are put together first: those
/// with events in open minutes or in the tail, those that people have merged, and on later pages those with events that
/// the first page did not include.
/// </summary>
internal static class IssueList
{
    /// <summary>
    /// An event is committed a moment after it was received. Events that are older than the first page by this much, and
    /// come after it in the log, are not looked for.
    /// </summary>
    private const string Slack = "interval '2 minutes'";

    /// <summary>
    /// A query for each kind of list: planning one that could answer all would take longer than running it.
    /// </summary>
    private static readonly Dictionary<(IssueSort Sort, bool IsLater, bool IsFiltered), string> Queries = (
        from sort in IssueSort.All
        from isLater in new[] { false, true }
        from isFiltered in new[] { false, true }
        select (sort, isLater, isFiltered)).ToDictionary(kind => kind, kind => SqlOf(kind.sort, kind.isLater, kind.isFiltered));

    public static string SqlOf(IssueRequest request) =>
        Queries[(request.Sort, request.After is not null, request.IsFiltered)];

    /// <summary>One issue, whatever has been decided about it.</summary>
    public static readonly string SqlOfOne =
        $"""
        with {Recent()},
        touched as (select @issue::integer as issue),
        {Special("sum(x.count)::bigint", "true")}
        select special.issue, special.main, special.first_seen, special.last_seen, special.count, in_window.n,
          special.value, special.is_fresh, special.keys
        from special
        cross join lateral ({InWindow("special", "special.numbers", "special.keys", Recently("special"))}) as in_window
        """;

    public static FoundIssue Read(NpgsqlDataReader row) => new(
        row.GetInt32(0), row.GetInt32(1), row.GetFieldValue<DateTimeOffset>(2), row.GetFieldValue<DateTimeOffset>(3),
        row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetBoolean(7), row.GetFieldValue<string[]>(8));

    /// <summary>
    /// Plain issues are sorted and limited where they are read, and those that are not plain are looked up in hashed
    /// lists: so the planner reads them in the order of the index, and no more of them than the page needs.
    /// </summary>
    private static string SqlOf(IssueSort sort, bool isLater, bool isFiltered) =>
        $"""
        with {Recent(isFiltered)},
        touched as (
          select distinct {IssueMembers.IssueOf("@tenant", "r.number")} as issue from recent as r
          union
          select i.issue from {IssueMembers.Table} as i where i.tenant_id = @tenant
          {(isLater ? $"union {SeenLater}" : "")}),
        {Special(isLater ? AsSeen(sort) : ValueOf(sort, "x"), isLater ? WasSeen("x.first_seq") : "true")}
        select page.issue, page.main, page.first_seen, page.last_seen, page.count, page.n, page.value, page.is_fresh,
          page.keys
        from (
          (select s.*, in_window.n
           from (
             select special.* from special
             where {(isFiltered ? SpecialMatches : "true")}
               {(isLater ? "and (special.value, special.issue) < (@value, @number)" : "")}
             order by special.value desc, special.issue desc offset 0) as s
           cross join lateral ({InWindow("s", "s.numbers", "s.keys", Recently("s"))}) as in_window
           where in_window.n > 0
           order by s.value desc, s.issue desc
           limit @limit)
          union all
          (select g.number as issue, g.number as main, g.first_seen, g.last_seen, g.count, array[g.number] as numbers,
             array[g.group_key] as keys, false as is_fresh, {ValueOf(sort, "g")} as value, in_window.n
           from {CounterTables.Current.Groups} as g
           cross join lateral ({InWindow("g", "array[g.number]", "array[g.group_key]", "0")}) as in_window
           where g.tenant_id = @tenant and g.grouping = @grouping and @folded > 0
             and g.number not in (select t.issue from touched as t)
             and g.number not in (select i.number from {IssueMembers.Table} as i where i.tenant_id = @tenant)
             {(isFiltered ? $"and {GroupMatches}" : "")}
             {(isLater ? $"and {Before(sort, "g")} and {WasSeen("g.first_seq")}" : "")}
             and in_window.n > 0
           order by g.{sort.Name} desc, g.number desc
           limit @limit)) as page
        order by page.value desc, page.issue desc
        limit @limit
        """;

    /// <summary>
    /// Subqueries. <c>recent_parts</c> are the events that the counts of groups do not include, by group and minute or
    /// one by one: those of open minutes and of the tail. <c>recent</c> adds them up by group.
    /// </summary>
    /// <param name="isFiltered">With the releases and environments of each part.</param>
    private static string Recent(bool isFiltered = false) =>
        $"""
        {TailWith(isFiltered ? $", {Scope.ReleaseOfLog} as release, {Scope.EnvironmentOfLog} as environment" : "")},
        recent_parts as materialized (
          select m.number, m.bucket, m.count as n, m.first_seen, m.last_seen, true as is_minute
            {(isFiltered ? ", m.release, m.environment" : "")}
          from {CounterTables.Current.OpenBuckets} as b
          join {CounterTables.Current.OpenMinutes} as m on m.bucket = b.bucket
          where m.tenant_id = @tenant and m.grouping = @grouping and @folded > 0
          union all
          select {IssueGroups.NumberOf("t.key")}, t.timestamp, 1, t.timestamp, t.timestamp, false
            {(isFiltered ? ", t.release, t.environment" : "")}
          from tail as t),
        recent as materialized (
          select r.number, sum(r.n)::bigint as n, min(r.first_seen) as first_seen, max(r.last_seen) as last_seen
          from recent_parts as r
          where r.number is not null
          group by r.number)
        """;

    /// <summary>The subquery <c>tail</c>: events that are not folded, and their keys.</summary>
    internal static string TailWith(string more = "") =>
        $"""
        tail as materialized (
          select {Scope.KeyOfLog} as key, log.timestamp, log.seq_id {more}
          from {LogSchema.Name}.mt_events as log
          where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError})
        """;

    /// <summary>A query: issues with events after those that the first page included.</summary>
    private static string SeenLater =>
        $"""
        select {IssueMembers.IssueOf("@tenant", "g.number")} from {IssueGroups.Folded} as g
        where g.last_seen > @seen_at - {Slack}
        """;

    /// <summary>The subquery <c>special</c>: the issues that are touched, put together of all their groups.</summary>
    /// <param name="value">What they are sorted by, of a group called x.</param>
    /// <param name="condition">On a group called x.</param>
    private static string Special(string value, string condition) =>
        $"""
        members as (
          select t.issue, t.issue as number from touched as t
          where not exists (
            select from {IssueMembers.Table} as i where i.tenant_id = @tenant and i.number = t.issue)
          union
          select i.issue, i.number from touched as t
          join {IssueMembers.Table} as i on i.tenant_id = @tenant and i.issue = t.issue),
        groups as (
          select m.issue, m.number, coalesce(g.group_key, n.key) as group_key,
            coalesce(g.first_seq, n.first_seq) as first_seq, coalesce(g.count, 0) + coalesce(r.n, 0) as count,
            least(g.first_seen, r.first_seen) as first_seen, greatest(g.last_seen, r.last_seen) as last_seen,
            r.number is not null as is_fresh
          from members as m
          left join {IssueGroups.Folded} as g on g.number = m.number
          left join unnest(@new_numbers, @new_keys, @new_seqs) as n(number, key, first_seq)
            on n.number = m.number and g.number is null
          left join recent as r on r.number = m.number
          where g.number is not null or n.number is not null),
        special as (
          select x.issue, (array_agg(x.number order by x.last_seen desc, x.last_seq desc))[1] as main,
            min(x.first_seen) as first_seen, max(x.last_seen) as last_seen, sum(x.count)::bigint as count,
            array_agg(x.number) as numbers,
            array_agg(x.group_key order by x.number <> x.issue, x.number) as keys, bool_or(x.is_fresh) as is_fresh,
            {value} as value
          from (
            select tied.*, case when tied.ties > 1 then ({LastSequence("tied")}) end as last_seq
            from (
              select groups.*, count(*) over (partition by groups.issue, groups.last_seen) as ties from groups) as tied
          ) as x
          where {condition}
          group by x.issue)
        """;

    /// <summary>Of several events that were received at the same moment the newest is the log's last.</summary>
    private static string LastSequence(string group) =>
        $"""
        select max(latest.seq) from (
          {AllEventsOf(group, (at, _) => $"and {at} = {group}.last_seen")}) as latest
        """;

    /// <summary>What a group, or several that are added up, is sorted by: a count, or ticks of its time.</summary>
    private static string ValueOf(IssueSort sort, string group) => sort.Name switch
    {
        "count" => group == "x" ? "sum(x.count)::bigint" : $"{group}.count",
        "first_seen" => Ticks(group == "x" ? "min(x.first_seen)" : $"{group}.first_seen"),
        _ => Ticks(group == "x" ? "max(x.last_seen)" : $"{group}.last_seen"),
    };

    /// <summary>The same without events that the first page did not include.</summary>
    private static string AsSeen(IssueSort sort) => sort.Name switch
    {
        "count" => $"sum(x.count - ({NewerThanSeen("x")}))::bigint",
        "first_seen" => Ticks($"min(({EndAsSeen("x", "asc")}))"),
        _ => Ticks($"max(({EndAsSeen("x", "desc")}))"),
    };

    /// <summary>Whether the first page included an event of this number.</summary>
    private static string WasSeen(string seq) => $"({seq} <= @seen_through and {seq} <> all(@unseen))";

    private static string NewerThanSeen(string group) =>
        $"""
        select count(*) from (
          {AllEventsOf(group, (at, seq) => $"and {at} > @seen_at - {Slack} and not {WasSeen(seq)}")}) as newer
        """;

    /// <summary>The first or the last of the group's events that the first page included.</summary>
    private static string EndAsSeen(string group, string order) =>
        $"""
        select seen.at from (
          {AllEventsOf(group, (at, seq) => $"and {WasSeen(seq)} order by {at} {order} limit 1")}) as seen
        order by seen.at {order} limit 1
        """;

    /// <summary>
    /// A query: the events of a group, as at and seq, from the index of keys and from those that have their keys apart.
    /// </summary>
    /// <param name="group">With group_key.</param>
    /// <param name="rest">What follows the conditions of both parts, given their columns of time and number.</param>
    internal static string EventsOf(string group, Func<string, string, string> rest) =>
        $"""
        (select e.timestamp as at, e.seq_id as seq from {LogSchema.Name}.mt_events as e
         where e.tenant_id = @tenant and e.{LogRow.StoredKey} = {group}.group_key and {LogRow.IsError}
           and not exists (
             select from {CounterTables.Current.EventKeys} as k
             where k.tenant_id = @tenant and k.grouping = @grouping and k.seq_id = e.seq_id)
           {rest("e.timestamp", "e.seq_id")})
        union all
        (select k.received_at, k.seq_id from {CounterTables.Current.EventKeys} as k
         where k.tenant_id = @tenant and k.grouping = @grouping and k.group_key = {group}.group_key
           {rest("k.received_at", "k.seq_id")})
        """;

    /// <summary>The same for events with the tail's, which is a subquery before: not all of its keys are stored.</summary>
    internal static string AllEventsOf(string group, Func<string, string, string> rest) =>
        $"""
        {EventsOf(group, (at, seq) => $"and {seq} <= @folded {rest(at, seq)}")}
        union all
        (select t.timestamp, t.seq_id from tail as t
         where t.key = {group}.group_key {rest("t.timestamp", "t.seq_id")})
        """;

    private static string Before(IssueSort sort, string group) => sort.Name == "count"
        ? $"({group}.count, {group}.number) < (@value, @number)"
        : $"({group}.{sort.Name}, {group}.number) < (@time, @number)";

    /// <summary>PostgreSQL's times have microseconds, so a double of their seconds would not do.</summary>
    private static string Ticks(string time) =>
        $"(extract(epoch from {time}) * 10000000 + 621355968000000000)::bigint";

    /// <summary>The filters on a group, called g, that has no events but those of closed minutes.</summary>
    private static string GroupMatches =>
        $"""
        (@issue_level::text is null or g.level = @issue_level)
        and {HasWords("g")}
        and {AreNamed("release", "@releases", value => CountedWith("release", value, "= g.number"))}
        and {AreNamed("environment", "@environments", value => CountedWith("environment", value, "= g.number"))}
        """;

    /// <summary>
    /// The filters on an issue, called special. What it is called is that of its main group, as it was last looked at;
    /// all else is as it is now.
    /// </summary>
    private static string SpecialMatches =>
        $"""
        (@issue_level::text is null or @issue_level = (
          select {LogRow.Level} from {LogSchema.Name}.mt_events as log where log.seq_id = ({NewestOfMain})))
        and (cardinality(@words) = 0 or exists (
          select from {IssueGroups.Folded} as text where text.number = special.main and {HasWords("text")}))
        and {AreNamed("release", "@releases", value => NamedBySpecial("release", value))}
        and {AreNamed("environment", "@environments", value => NamedBySpecial("environment", value))}
        """;

    private static string NewestOfMain =>
        $"""
        select newest.seq from groups as main
        cross join lateral (
          {AllEventsOf("main", (at, seq) => $"and {at} = main.last_seen")}) as newest
        where main.number = special.main
        order by newest.seq desc limit 1
        """;

    private static string HasWords(string group) =>
        $"""
        not exists (
          select from unnest(@words) as w(word)
          where strpos(lower(concat_ws(' ', {group}.title, {group}.type, {group}.place)), w.word) = 0)
        """;

    /// <summary>Some event names each of the values.</summary>
    private static string AreNamed(string name, string values, Func<string, string> isNamed) =>
        $"""
        not exists (
          select from unnest({values}) as {name}s(value) where not ({isNamed($"{name}s.value")}))
        """;

    private static string NamedBySpecial(string column, string value) =>
        $"""
        {CountedWith(column, value, "= any(special.numbers)")}
        or exists (
          select from recent_parts as r where r.number = any(special.numbers) and r.{column} = {value})
        """;

    private static string CountedWith(string column, string value, string number) =>
        $"""
        exists (
          select from {CounterTables.Current.GroupCounts} as c
          where c.tenant_id = @tenant and c.grouping = @grouping and c.number {number} and c.step = 'd'
            and c.{column} = {value} and @folded > 0
          offset 0)
        """;

    /// <summary>
    /// A query: how many of an issue's events lie in the window. By <c>offset 0</c> it is planned and run once, however
    /// often its answer is used.
    /// </summary>
    /// <param name="issue">With first_seen, last_seen and count.</param>
    /// <param name="numbers">Of its groups, as SQL.</param>
    /// <param name="keys">Of its groups, as SQL.</param>
    /// <param name="recently">How many of its recent events do, as SQL.</param>
    private static string InWindow(string issue, string numbers, string keys, string recently) =>
        $"""
        select case
          when {issue}.first_seen >= @since and {issue}.last_seen < @until then {issue}.count
          when {issue}.last_seen < @since or {issue}.first_seen >= @until then 0
          else (
            select coalesce(sum(c.count), 0)
            from unnest(@steps, @run_since, @run_until) as run(step, since, until)
            cross join unnest({numbers}) as own(number)
            cross join lateral (
              select kept.count from {CounterTables.Current.GroupCounts} as kept
              where kept.tenant_id = @tenant and kept.grouping = @grouping and kept.number = own.number
                and kept.step = run.step and kept.bucket >= run.since and kept.bucket < run.until
              offset 0) as c)
          + {recently}
          + (
            select count(*)
            from unnest(@ragged_since, @ragged_until) as ragged(since, until)
            cross join unnest({keys}) as own(group_key)
            cross join lateral (
              {EventsOf("own", (at, seq) =>
                $"and {at} >= ragged.since and {at} < ragged.until and {seq} <= @folded")}) as e)
          end as n
        offset 0
        """;

    /// <summary>How many of an issue's recent events lie in the window, as SQL.</summary>
    private static string Recently(string issue) =>
        $"""
        (
          select coalesce(sum(r.n), 0) from recent_parts as r
          where r.number = any({issue}.numbers)
            and case when r.is_minute
              then exists (
                select from unnest(@whole_since, @whole_until) as whole(since, until)
                where r.bucket >= whole.since and r.bucket < whole.until)
              else r.bucket >= @since and r.bucket < @until end)
        """;
}
