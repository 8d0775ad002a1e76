using System.Text.Json;
using ErrorTracker.Grouping;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Windows;

/// <summary>
/// What groups the tail of an application's log adds to those that are folded. Events beside which no facts are stored
/// that the serving rules made get theirs here; keys without a number get the numbers that the fold is going to give
/// them, as nothing below the high-water mark is still being written.
/// </summary>
internal sealed class Tail
{
    /// <summary>So many events of the tail at most have their facts made by a reader.</summary>
    private const int MostMade = 20_000;

    private static readonly string StaleSql =
        $"""
        select log.seq_id, log.data::text from {LogSchema.Name}.mt_events as log
        where log.seq_id > @folded and log.tenant_id = @tenant and {LogRow.IsError}
          and log.headers->>'{EventFacts.RulesMember}' is distinct from @label
        limit {MostMade + 1}
        """;

    private static readonly string NewSql =
        $"""
        select tail.key, min(tail.seq_id), min(tail.timestamp),
          coalesce((select max(g.number) from {IssueGroups.Folded} as g), 0)
        from (
          select {Scope.KeyOfLog} as key, log.seq_id, log.timestamp from {LogSchema.Name}.mt_events as log
          where log.seq_id > @folded and log.seq_id <= @mark and log.tenant_id = @tenant and {LogRow.IsError}) as tail
        where not exists (select from {IssueGroups.Folded} as g where g.group_key = tail.key)
        group by tail.key order by 2
        """;

    public static readonly Tail None = new();

    /// <summary>Events whose facts were made here, and these facts.</summary>
    public List<(long Sequence, EventFacts Facts)> Made { get; } = [];

    /// <summary>Groups that no fold has numbered yet, by their numbers.</summary>
    public List<NewGroup> New { get; } = [];

    /// <summary>False if more events than a reader can look at are not folded yet.</summary>
    public bool IsComplete { get; private set; } = true;

    public static async Task<Tail> ReadAsync(NpgsqlConnection connection, string tenant, Marks marks, RuleSet rules,
        CancellationToken stop)
    {
        var tail = new Tail();
        if (marks.End <= marks.Folded) return tail;
        await using (var command = new NpgsqlCommand(StaleSql, connection))
        {
            command.Parameters.AddWithValue("folded", marks.Folded);
            command.Parameters.AddWithValue("tenant", tenant);
            command.Parameters.AddWithValue("label", rules.Label);
            await using var row = await command.ExecuteReaderAsync(stop);
            while (await row.ReadAsync(stop))
                tail.Made.Add((row.GetInt64(0), EventFacts.OfStored(row.GetFieldValue<byte[]>(1), rules.Rules)));
        }
        tail.IsComplete = tail.Made.Count <= MostMade;
        if (tail.IsComplete) await tail.ReadNewAsync(connection, tenant, marks, stop);
        return tail;
    }

    public void AddTo(NpgsqlParameterCollection parameters)
    {
        parameters.AddWithValue("tail_facts", NpgsqlDbType.Jsonb, FactsJson());
        parameters.AddWithValue("new_by_key", NpgsqlDbType.Jsonb, NumbersJson());
        parameters.AddWithValue("new_keys", New.Select(group => group.Key).ToArray());
        parameters.AddWithValue("new_numbers", New.Select(group => group.Number).ToArray());
        parameters.AddWithValue("new_seqs", New.Select(group => group.FirstSequence).ToArray());
    }

    /// <summary>By sequence number: PostgreSQL finds a member of many as fast as a row by an index.</summary>
    private string FactsJson() => JsonSerializer.Serialize(Made.ToDictionary(
        made => made.Sequence,
        made => new Dictionary<string, string>
        {
            [EventFacts.KeyMember] = made.Facts.Key,
            [EventFacts.ReleaseMember] = made.Facts.Release,
            [EventFacts.EnvironmentMember] = made.Facts.Environment,
        }));

    private string NumbersJson() => JsonSerializer.Serialize(New.ToDictionary(group => group.Key, group => group.Number));

    private async Task ReadNewAsync(NpgsqlConnection connection, string tenant, Marks marks, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand(NewSql, connection);
        command.Parameters.AddWithValue("folded", marks.Folded);
        command.Parameters.AddWithValue("mark", marks.Mark);
        command.Parameters.AddWithValue("tenant", tenant);
        command.Parameters.AddWithValue("grouping", marks.Grouping);
        AddTo(command.Parameters);
        await using var row = await command.ExecuteReaderAsync(stop);
        while (await row.ReadAsync(stop))
            New.Add(new(
                row.GetString(0), row.GetInt32(3) + New.Count + 1, row.GetInt64(1),
                row.GetFieldValue<DateTimeOffset>(2)));
    }
}

/// <summary>A group whose first event is in the tail.</summary>
internal sealed record NewGroup(string Key, int Number, long FirstSequence, DateTimeOffset FirstSeen);
