using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Log;

/// <summary>
/// Appends events to Marten's log as Marten's own append does, but a group in one statement, not event by event: that
/// costs less than half of the database's time. The rows are gathered column by column, as they are sent.
/// </summary>
/// <param name="events">How many <see cref="Add"/> is going to be called with.</param>
internal sealed class LogAppend(int events)
{
    /// <summary>The writer of a stream knows its version, as it is the only one.</summary>
    private const string StreamsSql =
        $"""
        insert into {LogSchema.Name}.mt_streams as kept (tenant_id, id, version)
        select sent.tenant_id, sent.id, sent.version
        from unnest($1, $2, $3) as sent(tenant_id, id, version)
        on conflict (tenant_id, id) do update set version = excluded.version, timestamp = now()
        """;

    /// <summary>
    /// The .NET type is not sent with each event: it is longer than many a message, and its kind tells it.
    /// </summary>
    private static readonly string EventsSql =
        $"""
        insert into {LogSchema.Name}.mt_events
          (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, headers, is_archived)
        select nextval('{LogSchema.Name}.mt_events_sequence'), sent.id, sent.stream_id, sent.version, sent.data,
          sent.type, sent.timestamp, sent.tenant_id,
          case sent.type {string.Join(' ', EventKinds.All.Select(DotnetTypeOf))} end, sent.headers, false
        from unnest($1, $2, $3, $4, $5, $6, $7, $8)
          as sent(id, stream_id, version, data, timestamp, tenant_id, type, headers)
        """;

    private readonly Guid[] _ids = new Guid[events];
    private readonly Guid[] _streams = new Guid[events];
    private readonly long[] _versions = new long[events];
    private readonly byte[][] _bodies = new byte[events][];
    private readonly DateTimeOffset[] _times = new DateTimeOffset[events];
    private readonly string[] _tenants = new string[events];
    private readonly string[] _types = new string[events];
    private readonly byte[]?[] _headers = new byte[]?[events];
    private int _count;

    /// <param name="version">Of the stream, with this event as its last.</param>
    /// <param name="data">JSON in UTF-8.</param>
    /// <param name="headers">JSON in UTF-8; null: none.</param>
    public void Add(
        EventKind kind, Guid id, Guid stream, long version, string tenant, DateTimeOffset timestamp, byte[] data,
        byte[]? headers)
    {
        _ids[_count] = id;
        _streams[_count] = stream;
        _versions[_count] = version;
        _bodies[_count] = data;
        _times[_count] = timestamp;
        _tenants[_count] = tenant;
        _types[_count] = kind.StoredType;
        _headers[_count] = headers;
        _count++;
    }

    /// <summary>A batch without a transaction around it is one.</summary>
    /// <param name="streams">Those that the events were added to, with the versions that they have reached.</param>
    public NpgsqlBatch ToBatch(
        IReadOnlyCollection<(string Tenant, Guid Id, long Version)> streams, NpgsqlConnection connection) =>
        new(connection)
        {
            BatchCommands =
            {
                new(StreamsSql)
                {
                    Parameters =
                    {
                        new() { Value = streams.Select(stream => stream.Tenant).ToArray() },
                        new() { Value = streams.Select(stream => stream.Id).ToArray() },
                        new() { Value = streams.Select(stream => stream.Version).ToArray() },
                    },
                },
                new(EventsSql)
                {
                    Parameters =
                    {
                        new() { Value = _ids },
                        new() { Value = _streams },
                        new() { Value = _versions },
                        new() { Value = _bodies, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
                        new() { Value = _times },
                        new() { Value = _tenants },
                        new() { Value = _types },
                        new() { Value = _headers, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb },
                    },
                },
            },
        };

    /// <summary>An arm of SQL's <c>case</c> by the type.</summary>
    private static string DotnetTypeOf(EventKind kind) => $"when '{kind.StoredType}' then '{kind.StoredDotnetType}'";
}
