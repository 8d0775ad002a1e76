using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Commit;

/// <summary>
/// Finds the events of a group that the log has already. JSONB itself compares the content, as it normalises it, in the
/// way of the event's kind.
/// </summary>
public sealed class Repeats(LogDatabase database)
{
    private const string Known = $"select id from {LogSchema.Name}.mt_events where id = any($1)";

    private static readonly string Compare =
        $"""
        select sent.place, stored.timestamp, case stored.type {string.Concat(EventKinds.All.Select(IsRepeated))} end
        from unnest($1, $2, $3) with ordinality as sent(id, tenant_id, data, place)
        join {LogSchema.Name}.mt_events as stored on stored.id = sent.id and stored.tenant_id = sent.tenant_id
        """;

    /// <param name="group">Of different ids.</param>
    /// <param name="again">Of ids that others before them have: all of them are looked for at once.</param>
    /// <param name="inDoubt">
    /// Those of the group may have been stored just now, by a commit that was not answered: those that were are new,
    /// not repeated.
    /// </param>
    /// <returns>What became of those whose ids are stored.</returns>
    public async Task<Dictionary<PendingEvent, Settlement>> FindAsync(
        List<PendingEvent> group, List<PendingEvent> again, bool inDoubt)
    {
        var found = new Dictionary<PendingEvent, Settlement>(ReferenceEqualityComparer.Instance);
        await using var connection = await database.Lanes.OpenConnectionAsync();
        var known = await KnownAsync(connection, group.Concat(again));
        if (known.Count == 0) return found;

        var ofGroup = group.FindAll(pending => known.Contains(pending.Id));
        List<PendingEvent> sent = [.. ofGroup, .. again.Where(pending => known.Contains(pending.Id))];
        await using var command = new NpgsqlCommand(Compare, connection);
        command.Parameters.Add(new() { Value = sent.Select(p => p.Id).ToArray() });
        command.Parameters.Add(new() { Value = sent.Select(p => TenantId.Of(p.ApplicationId)).ToArray() });
        command.Parameters.Add(new()
        {
            Value = sent.Select(p => p.Data).ToArray(),
            NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb,
        });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
        {
            var at = (int)reader.GetInt64(0) - 1;
            var receivedAt = reader.GetFieldValue<DateTimeOffset>(1);
            var isEqual = reader.GetBoolean(2);
            var isNew = inDoubt && at < ofGroup.Count && receivedAt == sent[at].ReceivedAt;
            var fate = !isEqual ? Fate.Conflicting : isNew ? Fate.Stored : Fate.Repeated;
            found[sent[at]] = new(fate, receivedAt);
        }
        return found;
    }

    private static string IsRepeated(EventKind kind) => $" when '{kind.StoredType}' then {kind.IsRepeated}";

    /// <summary>Most events are new: this costs them no more than a look into an index.</summary>
    private static async Task<HashSet<Guid>> KnownAsync(NpgsqlConnection connection, IEnumerable<PendingEvent> sent)
    {
        var known = new HashSet<Guid>();
        await using var command = new NpgsqlCommand(Known, connection);
        command.Parameters.Add(new() { Value = sent.Select(p => p.Id).Distinct().ToArray() });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) known.Add(reader.GetGuid(0));
        return known;
    }
}
