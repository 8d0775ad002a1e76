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

    private static readonly string EventsSql =
        $"""
        select e.seq_id, e.timestamp, e.data::text, e.{LogRow.StoredKey},
          coalesce(e.headers->>'{EventFacts.ReleaseMember}', ''),
          coalesce(e.headers->>'{EventFacts.EnvironmentMember}', ''),
          g.number, g.group_key
        from {LogSchema.Name}.mt_events as e
        left join {Tables.EventKeys} as k
          on k.tenant_id = e.tenant_id and k.grouping = @serving and k.seq_id = e.seq_id
        join {Tables.Groups} as g
          on g.tenant_id = e.tenant_id and g.grouping = @serving
          and g.group_key = coalesce(k.group_key, e.{LogRow.StoredKey}, '')
        where e.tenant_id = @tenant and e.seq_id > @floor and e.seq_id <= @ceiling
          and e.seq_id in (
            select seq_id from {LogSchema.Name}.mt_events
            where seq_id > @floor and seq_id <= @ceiling and {LogRow.IsError})
          and (@since is null or e.timestamp >= @since) and (@until is null or e.timestamp < @until)
        """;

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
    /// <param name="floor">The range's start, not part of it.</param>
    /// <param name="ceiling">The range's end.</param>
    /// <param name="since">Only events received then or later; null: all.</param>
    /// <param name="until">Only events received before then; null: all.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task<List<KeyPair>> PairsAsync(NpgsqlDataSource database, OtherRules rules, long floor,
        long ceiling, DateTimeOffset? since, DateTimeOffset? until, CancellationToken stop)
    {
        var middle = floor + (ceiling - floor) / 2;
        var halves = await Task.WhenAll(
            Task.Run(() => HalfAsync(floor, middle), stop), Task.Run(() => HalfAsync(middle, ceiling), stop));
        return Add(halves[0], halves[1]);

        async Task<List<KeyPair>> HalfAsync(long from, long to)
        {
            await using var connection = await database.OpenConnectionAsync(stop);
            var pairs = new Pairs();
            await ReadAsync(connection, rules, from, to, since, until, pairs.Add, stop);
            return pairs.ToList();
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
    /// <param name="floor">The range's start, not part of it.</param>
    /// <param name="ceiling">The range's end.</param>
    /// <param name="choose">The numbers of keys that have none, given how their events move.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task CountAsync(NpgsqlConnection connection, OtherRules rules, long floor, long ceiling,
        Func<List<KeyPair>, Task<Dictionary<string, int>>> choose, CancellationToken stop)
    {
        var (pairs, made) = (new Pairs(), new List<EventKeys.Made>());
        await ReadAsync(connection, rules, floor, ceiling, since: null, until: null, row =>
        {
            pairs.Add(row);
            if (row.Facts != row.Stored)
                made.Add(new(rules.Tenant, rules.Other.Grouping, row.Sequence, row.ReceivedAt, row.Facts));
        }, stop);
        if (made.Count > 0) await EventKeys.WriteAsync(connection, Tables, made, stop);

        var keys = pairs.ToList();
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

    /// <param name="Number">Of the serving group.</param>
    /// <param name="Serving">Its key.</param>
    /// <param name="Stored">Beside the event; null: nothing.</param>
    /// <param name="Facts">By the other rules.</param>
    private sealed record Regrouped(
        long Sequence, DateTimeOffset ReceivedAt, int Number, string Serving, EventFacts? Stored, EventFacts Facts);

    private sealed class Pairs
    {
        private readonly Dictionary<(int Number, string Key), KeyPair> _pairs = [];

        public void Add(Regrouped row)
        {
            var pair = (row.Number, row.Facts.Key);
            _pairs[pair] = _pairs.TryGetValue(pair, out var seen)
                ? seen with
                {
                    Events = seen.Events + 1,
                    FirstSequence = Math.Min(seen.FirstSequence, row.Sequence),
                }
                : new(row.Number, row.Facts.Key, row.Facts.Key == row.Serving, 1, row.Sequence);
        }

        public List<KeyPair> ToList() => [.. _pairs.Values];
    }

    private static async Task ReadAsync(NpgsqlConnection connection, OtherRules rules, long floor, long ceiling,
        DateTimeOffset? since, DateTimeOffset? until, Action<Regrouped> take, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(EventsSql, connection) { CommandTimeout = 0 };
        command.Parameters.AddWithValue("tenant", rules.Tenant);
        command.Parameters.AddWithValue("serving", rules.Serving);
        command.Parameters.AddWithValue("floor", floor);
        command.Parameters.AddWithValue("ceiling", ceiling);
        command.Parameters.Add(new("since", NpgsqlDbType.TimestampTz) { Value = (object?)since ?? DBNull.Value });
        command.Parameters.Add(new("until", NpgsqlDbType.TimestampTz) { Value = (object?)until ?? DBNull.Value });
        await using var row = await command.ExecuteReaderAsync(stop);
        while (await row.ReadAsync(stop))
        {
            var stored = row.IsDBNull(3) ? null : new EventFacts(row.GetString(3), row.GetString(4), row.GetString(5));
            var facts = EventFacts.OfStored(row.GetFieldValue<byte[]>(2), rules.Other.Rules);
            take(new(
                row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(1), row.GetInt32(6), row.GetString(7), stored, facts));
        }
    }

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
