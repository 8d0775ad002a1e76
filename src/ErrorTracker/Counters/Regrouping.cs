using ErrorTracker.Grouping;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Counters;

/// <summary>Events of a serving group that other rules put into another one.</summary>
/// <param name="Number">Of the group that serves.</param>
/// <param name="Key">By the other rules.</param>
/// <param name="IsSame">It is the key that serves, too.</param>
/// <param name="FirstSequence">Of the first of these events.</param>
public sealed record KeyPair(int Number, string Key, bool IsSame, long Events, long FirstSequence);

/// <summary>An application, the rules that serve it, and others that do not.</summary>
/// <param name="Serving">The grouping that serves.</param>
/// <param name="Other">The other rules.</param>
internal sealed record OtherRules(int ApplicationId, int Serving, RuleSet Other)
{
    public string Tenant { get; } = TenantId.Of(ApplicationId);
}

/// <summary>
/// Counts an application's log by other rules than those that serve: how events would move, and the counters of the
/// other groups, beside those that serve and in the same tables.
/// </summary>
internal static class Regrouping
{
    private static readonly CounterTables Tables = CounterTables.Current;

    /// <summary>A query: the events of a range, with their serving groups and the marks of what their keys are made of.</summary>
    private static string EventsBy(KeySources sources) =>
        $"""
        select e.seq_id, e.timestamp, {sources.MarkOf("e.data")} as mark, e.{LogRow.StoredKey} as stored_key,
          coalesce(e.headers->>'{EventFacts.ReleaseMember}', '') as release,
          coalesce(e.headers->>'{EventFacts.EnvironmentMember}', '') as environment,
          case when e.{LogRow.StoredKey} is null then e.data::text end as data, g.number, g.group_key
        from {LogSchema.Name}.mt_events as e
        left join {Tables.EventKeys} as k
          on k.tenant_id = e.tenant_id and k.grouping = @serving and k.seq_id = e.seq_id
        join {Tables.Groups} as g
          on g.tenant_id = e.tenant_id and g.grouping = @serving
          and g.group_key = coalesce(k.group_key, e.{LogRow.StoredKey}, '')
        where e.tenant_id = @tenant and e.seq_id > @floor and e.seq_id <= @ceiling and {IsError}
          and (@since is null or e.timestamp >= @since) and (@until is null or e.timestamp < @until)
        """;

    private static string PairsBy(KeySources sources) =>
        $"""
        select found.mark, found.number, found.group_key, count(*), min(found.seq_id)
        from ({EventsBy(sources)}) as found
        group by 1, 2, 3
        """;

    /// <summary>Groups have a column of the same name as the log's type.</summary>
    private static string IsError => $"exists (select from (select e.type, e.timestamp) as log where {LogRow.IsError})";

    private static readonly string CountSql = CounterFold.IntoGroups(Tables, CounterFold.SentBy(Tables));

    private const string KnownSql =
        $"""
        select a.group_key from {AssignedNumbers.Table} as a
        where a.tenant_id = $1 and a.grouping = $2 and a.group_key = any($3)
        """;

    private const string AssignSql =
        $"""
        insert into {AssignedNumbers.Table} (tenant_id, grouping, group_key, number)
        select $1, $2, given.key, given.number from unnest($3, $4) as given(key, number)
        on conflict (tenant_id, grouping, group_key) do update set number = excluded.number
        """;

    /// <summary>How the events of a range would move. Nothing is written.</summary>
    /// <param name="database">To read from, on two connections at once.</param>
    /// <param name="rules">Which.</param>
    /// <param name="sources">Whose keys are known already.</param>
    /// <param name="floor">The range's start, not part of it.</param>
    /// <param name="ceiling">The range's end.</param>
    /// <param name="since">Only events received then or later; null: all.</param>
    /// <param name="until">Only events received before then; null: all.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task<List<KeyPair>> PairsAsync(NpgsqlDataSource database, OtherRules rules, KeySources sources,
        long floor, long ceiling, DateTimeOffset? since, DateTimeOffset? until, CancellationToken stop)
    {
        var middle = floor + (ceiling - floor) / 2;
        var halves = await Task.WhenAll(HalfAsync(floor, middle), HalfAsync(middle, ceiling));
        return Add(halves[0], halves[1]);

        async Task<List<KeyPair>> HalfAsync(long from, long to)
        {
            await using var connection = await database.OpenConnectionAsync(stop);
            await using var command = Ask(PairsBy(sources), connection, rules, from, to, since, until);
            sources.AddTo(command.Parameters);
            var found = new List<(long Mark, int Number, string Serving, long Events, long First)>();
            await using (var row = await command.ExecuteReaderAsync(stop))
                while (await row.ReadAsync(stop))
                    found.Add((
                        row.GetInt64(0), row.GetInt32(1), row.GetString(2), row.GetInt64(3), row.GetInt64(4)));
            await sources.LearnAsync(connection, found.ConvertAll(row => (row.Mark, row.First)), stop);
            var pairs = found.ConvertAll(row =>
            {
                var key = sources.KeyOf(row.Mark);
                return new KeyPair(row.Number, key, key == row.Serving, row.Events, row.First);
            });
            return Add(pairs, []);
        }
    }

    /// <summary>Pairs of two ranges as those of both.</summary>
    public static List<KeyPair> Add(IEnumerable<KeyPair> some, IEnumerable<KeyPair> others) =>
    [
        .. some.Concat(others).GroupBy(pair => (pair.Number, pair.Key)).Select(same => same.First() with
        {
            Events = same.Sum(pair => pair.Events),
            FirstSequence = same.Min(pair => pair.FirstSequence),
        }),
    ];

    /// <summary>
    /// Counts the events of a range by the other rules, in the connection's transaction. Keys that have no number get
    /// one.
    /// </summary>
    /// <param name="connection">In whose transaction.</param>
    /// <param name="rules">Which.</param>
    /// <param name="sources">Whose keys are known already.</param>
    /// <param name="floor">The range's start, not part of it.</param>
    /// <param name="ceiling">The range's end.</param>
    /// <param name="choose">The numbers of keys that have none, given how their events move.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task CountAsync(NpgsqlConnection connection, OtherRules rules, KeySources sources, long floor,
        long ceiling, Func<List<KeyPair>, Task<Dictionary<string, int>>> choose, CancellationToken stop)
    {
        var events = await ReadAsync(connection, rules, sources, floor, ceiling, stop);
        await sources.LearnAsync(connection, events.ConvertAll(found => (found.Mark, found.Sequence)), stop);
        var (pairs, made) = (new List<KeyPair>(), new List<EventKeys.Made>());
        foreach (var found in events)
        {
            var facts = found.Bare is { } bare
                ? EventFacts.OfStored(bare, rules.Other.Rules)
                : found.Stored! with { Key = sources.KeyOf(found.Mark) };
            pairs.Add(new(found.Number, facts.Key, facts.Key == found.Serving, 1, found.Sequence));
            if (facts != found.Stored)
                made.Add(new(rules.Tenant, rules.Other.Grouping, found.Sequence, found.ReceivedAt, facts));
        }
        if (made.Count > 0) await EventKeys.WriteAsync(connection, Tables, made, stop);

        var keys = Add(pairs, []);
        var known = await KnownAsync(connection, rules, keys, stop);
        var unknown = keys.FindAll(pair => !known.Contains(pair.Key));
        if (unknown.Count > 0) await AssignAsync(connection, rules, await choose(unknown), stop);
        await using var count = new NpgsqlCommand(CountSql, connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = floor },
                new() { Value = ceiling },
                new() { Value = rules.Tenant },
                new() { Value = rules.Other.Grouping },
            },
        };
        await count.ExecuteNonQueryAsync(stop);
        await GroupTexts.MakeAsync(connection, Tables.Names, rules, stop);
    }

    /// <summary>Gives groups their numbers, before any event of theirs is counted.</summary>
    public static async Task AssignAsync(
        NpgsqlConnection connection, OtherRules rules, Dictionary<string, int> numbers, CancellationToken stop)
    {
        await using var assign = new NpgsqlCommand(AssignSql, connection)
        {
            Parameters =
            {
                new() { Value = rules.Tenant },
                new() { Value = rules.Other.Grouping },
                new() { Value = numbers.Keys.ToArray() },
                new() { Value = numbers.Values.ToArray() },
            },
        };
        await assign.ExecuteNonQueryAsync(stop);
    }

    /// <param name="Mark">Of what its key is made of.</param>
    /// <param name="Number">Of the serving group.</param>
    /// <param name="Serving">Its key.</param>
    /// <param name="Stored">Beside the event; null: nothing.</param>
    /// <param name="Bare">The event, if nothing is stored beside it.</param>
    private sealed record Found(
        long Sequence, DateTimeOffset ReceivedAt, long Mark, int Number, string Serving, EventFacts? Stored, byte[]? Bare);

    private static async Task<List<Found>> ReadAsync(NpgsqlConnection connection, OtherRules rules, KeySources sources,
        long floor, long ceiling, CancellationToken stop)
    {
        await using var command = Ask(
            EventsBy(sources), connection, rules, floor, ceiling, since: null, until: null);
        sources.AddTo(command.Parameters);
        await using var row = await command.ExecuteReaderAsync(stop);
        var found = new List<Found>();
        while (await row.ReadAsync(stop))
        {
            var isBare = row.IsDBNull(3);
            found.Add(new(
                row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt64(2), row.GetInt32(7), row.GetString(8),
                isBare ? null : new(row.GetString(3), row.GetString(4), row.GetString(5)),
                isBare ? row.GetFieldValue<byte[]>(6) : null));
        }
        return found;
    }

    private static NpgsqlCommand Ask(string sql, NpgsqlConnection connection, OtherRules rules, long floor, long ceiling,
        DateTimeOffset? since, DateTimeOffset? until) => new(sql, connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new("tenant", rules.Tenant),
                new("serving", rules.Serving),
                new("floor", floor),
                new("ceiling", ceiling),
                new("since", NpgsqlDbType.TimestampTz) { Value = (object?)since ?? DBNull.Value },
                new("until", NpgsqlDbType.TimestampTz) { Value = (object?)until ?? DBNull.Value },
            },
        };

    private static async Task<HashSet<string>> KnownAsync(
        NpgsqlConnection connection, OtherRules rules, List<KeyPair> pairs, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(KnownSql, connection)
        {
            Parameters =
            {
                new() { Value = rules.Tenant },
                new() { Value = rules.Other.Grouping },
                new() { Value = pairs.Select(pair => pair.Key).Distinct().ToArray() },
            },
        };
        await using var row = await command.ExecuteReaderAsync(stop);
        var known = new HashSet<string>();
        while (await row.ReadAsync(stop)) known.Add(row.GetString(0));
        return known;
    }
}
