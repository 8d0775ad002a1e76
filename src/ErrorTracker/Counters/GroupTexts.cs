using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// What a group is called: level, title, type and place of its newest event. New groups get it with the fold that makes
/// them; it is looked at again whenever minutes of the group are closed.
/// </summary>
internal static class GroupTexts
{
    /// <summary>Groups of which the newest event is read in one trip: events may be large.</summary>
    private const int AtOnce = 200;

    /// <summary>So many events that only carry a group's key are passed over; then a later fold tells it.</summary>
    private const int MostAlien = 1_000;

    /// <summary>
    /// The sequence number and time of a group's newest event, as SQL: of those that carry their key the newest by the
    /// index of keys, or one of those that do not.
    /// </summary>
    /// <param name="tables">Of which version.</param>
    /// <param name="g">What the query calls the group, with tenant_id, grouping and group_key.</param>
    private static string Newest(CounterTables tables, string g) =>
        $"""
        select newest.seq_id from (
          (select e.seq_id, e.timestamp as received_at from {LogSchema.Name}.mt_events as e
           where e.tenant_id = {g}.tenant_id and e.{LogRow.StoredKey} = {g}.group_key and {LogRow.IsError}
             and e.seq_id <> all($1)
             and not exists (
               select from {tables.EventKeys} as k
               where k.tenant_id = {g}.tenant_id and k.grouping = {g}.grouping and k.seq_id = e.seq_id)
           order by e.timestamp desc, e.seq_id desc limit 1)
          union all
          (select k.seq_id, k.received_at from {tables.EventKeys} as k
           where k.tenant_id = {g}.tenant_id and k.grouping = {g}.grouping and k.group_key = {g}.group_key
           order by k.received_at desc, k.seq_id desc limit 1)) as newest
        order by newest.received_at desc, newest.seq_id desc limit 1
        """;

    private static string Untold(CounterTables tables) =>
        $"""
        select g.tenant_id, g.grouping, g.number, g.group_key, e.seq_id, e.headers->>'{EventFacts.RulesMember}',
          e.data::text
        from (
          select u.tenant_id, u.grouping, u.number, u.group_key from {tables.Groups} as u
          where u.text_seq = 0 limit {AtOnce}) as g
        cross join lateral ({Newest(tables, "g")}) as newest
        join {LogSchema.Name}.mt_events as e on e.seq_id = newest.seq_id
        """;

    private static string Tell(CounterTables tables) =>
        $"""
        update {tables.Groups} as kept
        set text_seq = told.seq, level = told.level, title = told.title, type = told.type, place = told.place
        from unnest($1, $2, $3, $4, $5, $6, $7, $8)
          as told(tenant_id, grouping, number, seq, level, title, type, place)
        where kept.tenant_id = told.tenant_id and kept.grouping = told.grouping and kept.number = told.number
        """;

    /// <summary>The step after a fold or a closing, in its transaction: until all groups have their texts.</summary>
    public static Task MakeAsync(NpgsqlConnection connection, TableNames names, CancellationToken stop) =>
        MakeAsync(connection, names, other: null, stop);

    /// <param name="connection">In whose transaction.</param>
    /// <param name="names">Of the tables.</param>
    /// <param name="other">Rules that some groups are of, which do not serve; null: none.</param>
    /// <param name="stop">Cuts it off.</param>
    public static async Task MakeAsync(
        NpgsqlConnection connection, TableNames names, OtherRules? other, CancellationToken stop)
    {
        var tables = new CounterTables(names);
        Dictionary<int, RuleSet>? rules = null;
        var alien = new List<long>();
        while (true)
        {
            var told = new List<Told>();
            await using (var command = new NpgsqlCommand(Untold(tables), connection) { CommandTimeout = 0 })
            {
                command.Parameters.Add(new() { Value = alien.ToArray() });
                await using var row = await command.ExecuteReaderAsync(stop);
                while (await row.ReadAsync(stop)) told.Add(Read(row));
            }
            if (told.Count == 0) return;
            rules ??= await AdoptedRules.ReadAsync(connection, stop);
            var own = told.FindAll(row => IsOfGroup(row, RulesOf(row, rules, other)));
            await WriteAsync(connection, tables, own, row => RulesOf(row, rules, other).Rules, stop);
            if (own.Count == told.Count && told.Count < AtOnce) return;
            alien.AddRange(told.Except(own).Select(row => row.Sequence));
            if (alien.Count > MostAlien) return;
        }
    }

    private sealed record Told(
        string Tenant, int Grouping, int Number, string Key, long Sequence, string? Label, byte[] Event);

    /// <summary>
    /// An event that is not folded yet may carry a key that other rules made, and be of another group: it is passed
    /// over.
    /// </summary>
    private static bool IsOfGroup(Told row, RuleSet rules) =>
        row.Label == rules.Label || GroupKey.OfStored(row.Event, rules.Rules) == row.Key;

    private static Told Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetInt32(1), row.GetInt32(2), row.GetString(3), row.GetInt64(4),
        row.IsDBNull(5) ? null : row.GetString(5), row.GetFieldValue<byte[]>(6));

    private static RuleSet RulesOf(Told row, Dictionary<int, RuleSet> adopted, OtherRules? other) =>
        other is not null && (row.Tenant, row.Grouping) == (other.Tenant, other.Other.Grouping)
            ? other.Other
            : adopted.GetValueOrDefault(TenantId.Parse(row.Tenant), RuleSet.BuiltIn);

    private static async Task WriteAsync(NpgsqlConnection connection, CounterTables tables, List<Told> told,
        Func<Told, GroupingRules> rulesOf, CancellationToken stop)
    {
        var texts = told.ConvertAll(row => GroupText.Of(row.Event, rulesOf(row)));
        await using var command = new NpgsqlCommand(Tell(tables), connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = told.Select(row => row.Tenant).ToArray() },
                new() { Value = told.Select(row => row.Grouping).ToArray() },
                new() { Value = told.Select(row => row.Number).ToArray() },
                new() { Value = told.Select(row => row.Sequence).ToArray() },
                new() { Value = texts.Select(text => text.Level).ToArray() },
                new() { Value = texts.Select(text => text.Title).ToArray() },
                new() { Value = texts.Select(text => text.Type).ToArray() },
                new() { Value = texts.Select(text => text.Place).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(stop);
    }
}
