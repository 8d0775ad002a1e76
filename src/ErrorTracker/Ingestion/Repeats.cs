using ErrorTracker.Counters;
using Marten;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Ingestion;

/// <summary>Finds the events of a group that the log has already. JSONB itself compares the content, as it normalises it.</summary>
public sealed class Repeats(NpgsqlDataSource database, IDocumentStore store)
{
    private const string Known = $"select id from {CounterTables.Schema}.mt_events where id = any($1)";

    private const string Compare =
        $"""
        select stored.id, stored.timestamp, stored.data = sent.data
        from unnest($1, $2, $3) as sent(id, tenant_id, data) join {CounterTables.Schema}.mt_events as stored on stored.id = sent.id and stored.tenant_id = sent.tenant_id
        """;

    /// <returns>What became of those that are stored, by their ids.</returns>
    public async Task<Dictionary<Guid, Outcome>> FindAsync(IReadOnlyCollection<PendingEvent> group)
    {
        var found = new Dictionary<Guid, Outcome>();
        var named = group.Where(pending => pending.MayRepeat).ToList();
        var known = await KnownAsync(named);
        if (known.Count == 0) return found;

        named.RemoveAll(pending => !known.Contains(pending.Id));
        await using var command = database.CreateCommand(Compare);
        command.Parameters.Add(new() { Value = named.Select(p => p.Id).ToArray() });
        command.Parameters.Add(new() { Value = named.Select(p => p.ApplicationId.ToString()).ToArray() });
        command.Parameters.Add(new() { Value = named.Select(p => store.Options.Serializer().ToJson(p.Error)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            found[reader.GetGuid(0)] = new(reader.GetBoolean(2) ? Fate.Repeated : Fate.Conflicting, reader.GetFieldValue<DateTimeOffset>(1));
        return found;
    }

    /// <summary>Most events are new: this costs them no more than a look into an index.</summary>
    private async Task<HashSet<Guid>> KnownAsync(List<PendingEvent> named)
    {
        var known = new HashSet<Guid>();
        if (named.Count == 0) return known;
        await using var command = database.CreateCommand(Known);
        command.Parameters.Add(new() { Value = named.Select(p => p.Id).ToArray() });
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) known.Add(reader.GetGuid(0));
        return known;
    }
}
