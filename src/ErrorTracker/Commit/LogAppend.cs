using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Commit;

/// <summary>
/// Appends events to Marten's log as Marten's own append does, but a group in one statement, not event by event: less than half of the database's time.
/// The writer of a segment knows its version, as it is the only one.
/// </summary>
internal static class LogAppend
{
    private const string Streams =
        $"""
        insert into {LogSchema.Name}.mt_streams as kept (tenant_id, id, version) select * from unnest($1, $2, $3)
        on conflict (tenant_id, id) do update set version = excluded.version, timestamp = now()
        """;

    private static readonly string Events =
        $"""
        insert into {LogSchema.Name}.mt_events (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
        select nextval('{LogSchema.Name}.mt_events_sequence'), id, stream, version, data, type, at, tenant, case type when '{LossReported.StoredType}' then '{LossReported.StoredDotnetType}' else '{ErrorOccurred.StoredDotnetType}' end, false
        from unnest($1, $2, $3, $4, $5, $6, $7) as sent(id, stream, version, data, at, tenant, type)
        """;

    /// <summary>A batch without a transaction around it is one.</summary>
    public static NpgsqlBatch Of(List<PendingEvent> group, Segments segments, NpgsqlConnection connection)
    {
        var count = group.Count;
        var (ids, streams, versions, bodies, times, tenants, types) = (new Guid[count], new Guid[count], new long[count], new byte[count][], new DateTimeOffset[count], new string[count], new string[count]);
        var written = new Dictionary<Segment, string>();
        for (var i = 0; i < count; i++)
        {
            var pending = group[i];
            var segment = segments.For(pending.ApplicationId, pending.ReceivedAt);
            if (!written.TryGetValue(segment, out var tenant)) written[segment] = tenant = pending.ApplicationId.ToString();
            (ids[i], streams[i], versions[i], bodies[i], times[i], tenants[i], types[i]) = (pending.Id, segment.Stream, ++segment.Version, pending.Data, pending.ReceivedAt, tenant, pending.Type);
        }
        return new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(Streams) { Parameters = { new() { Value = written.Values.ToArray() }, new() { Value = written.Keys.Select(s => s.Stream).ToArray() }, new() { Value = written.Keys.Select(s => s.Version).ToArray() } } },
                new(Events)
                {
                    Parameters =
                    {
                        new() { Value = ids }, new() { Value = streams }, new() { Value = versions }, new() { Value = bodies, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
                        new() { Value = times }, new() { Value = tenants }, new() { Value = types },
                    },
                },
            },
        };
    }
}
