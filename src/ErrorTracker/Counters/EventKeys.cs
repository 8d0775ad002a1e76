using ErrorTracker.Grouping;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Counters;

/// <summary>
/// The facts of events beside which none are stored that the fold can use, because they were stored by a former version
/// or under other rules. They are made from the events, and kept where they differ from what is stored. So for events
/// that are folded, <see cref="CounterTables.EventKeys"/> and then the log tell the facts by the serving rules.
/// </summary>
internal static class EventKeys
{
    /// <summary>Events of a range whose facts were not made by the rules that serve.</summary>
    private static string Stale(LogRange range) =>
        $"""
        select e.seq_id, e.tenant_id, e.timestamp, e.data::text, e.{LogRow.StoredKey},
          coalesce(e.headers->>'{EventFacts.ReleaseMember}', ''),
          coalesce(e.headers->>'{EventFacts.EnvironmentMember}', '')
        from {LogSchema.Name}.mt_events as e
        left join {AdoptedRules.Table} as a on a.tenant_id = e.tenant_id
        where {range.Holds("e")} and {LogRow.IsError}
          and e.headers->>'{EventFacts.RulesMember}' is distinct from coalesce(a.label, '{GroupKey.Version}')
        """;

    private static string Insert(CounterTables tables) =>
        $"""
        insert into {tables.EventKeys} as kept
          (tenant_id, grouping, seq_id, group_key, release, environment, received_at)
        select * from unnest($1, $2, $3, $4, $5, $6, $7)
        on conflict do nothing
        """;

    /// <summary>
    /// The step before a fold of the events after <paramref name="floor"/> up to <paramref name="ceiling"/>, in its
    /// transaction. Costs little where nothing is stale.
    /// </summary>
    public static async Task MakeAsync(
        NpgsqlConnection connection, TableNames names, long floor, long ceiling, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(Stale(LogRange.Parameters), connection)
        {
            CommandTimeout = 0,
            Parameters = { new() { Value = floor }, new() { Value = ceiling } },
        };
        var made = new List<Made>();
        var rules = await AdoptedRules.ReadAsync(connection, stop);
        await using (var row = await command.ExecuteReaderAsync(stop))
            while (await row.ReadAsync(stop))
                if (Make(row, rules) is { } fact) made.Add(fact);
        if (made.Count > 0) await WriteAsync(connection, new(names), made, stop);
    }

    internal sealed record Made(
        string Tenant, int Grouping, long Sequence, DateTimeOffset ReceivedAt, EventFacts Facts);

    /// <summary>Null if what is stored beside the event is right, although other rules made it.</summary>
    private static Made? Make(NpgsqlDataReader row, Dictionary<int, RuleSet> adopted)
    {
        var tenant = row.GetString(1);
        var rules = adopted.GetValueOrDefault(TenantId.Parse(tenant), RuleSet.BuiltIn);
        var facts = EventFacts.OfStored(row.GetFieldValue<byte[]>(3), rules.Rules);
        var isStored = !row.IsDBNull(4)
            && facts == new EventFacts(row.GetString(4), row.GetString(5), row.GetString(6));
        return isStored
            ? null
            : new(tenant, rules.Grouping, row.GetInt64(0), row.GetFieldValue<DateTimeOffset>(2), facts);
    }

    internal static async Task WriteAsync(
        NpgsqlConnection connection, CounterTables tables, List<Made> made, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(Insert(tables), connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                new() { Value = made.Select(row => row.Tenant).ToArray() },
                new() { Value = made.Select(row => row.Grouping).ToArray() },
                new() { Value = made.Select(row => row.Sequence).ToArray() },
                new() { Value = made.Select(row => row.Facts.Key).ToArray() },
                new() { Value = made.Select(row => row.Facts.Release).ToArray() },
                new() { Value = made.Select(row => row.Facts.Environment).ToArray() },
                new() { Value = made.Select(row => row.ReceivedAt).ToArray() },
            },
        };
        await command.ExecuteNonQueryAsync(stop);
    }
}
