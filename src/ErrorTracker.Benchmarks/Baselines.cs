using System.Net;
using System.Text;
using System.Text.Json;
using ErrorTracker.Log;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// What ingest is measured against, in a process of its own on the same web server: a POST that reads its body and
/// forgets it, and the plain service that a team would write instead, one INSERT a request into a table of the log's
/// shape and indexes.
/// </summary>
internal static class Baselines
{
    public const string Table = "bench_events";

    /// <summary>The log's columns and indexes, without what Marten adds around them.</summary>
    private static readonly string Definition =
        $"""
        create sequence {Table}_sequence;

        create table {Table} as
          select seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived
          from {LogSchema.Name}.mt_events
          limit 0;

        alter table {Table} add primary key (seq_id);
        create unique index on {Table} (tenant_id, stream_id, version);
        create unique index on {Table} (id);

        create index on {Table} (tenant_id, timestamp desc, seq_id desc)
          where {LogRow.IsError};
        create index on {Table} (tenant_id, ({LogRow.Level}), timestamp desc, seq_id desc)
          where {LogRow.IsError};
        """;

    private static readonly string Insert =
        $"""
        insert into {Table}
        select nextval('{Table}_sequence'), $1, $1, 1, $2, '{EventKinds.ErrorOccurred.StoredType}', now(), '1', 'x', false
        """;

    public static Task CreateTableAsync(Host host) => host.TimeAsync(Definition);

    public static async Task ServeAsync(string connectionString, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        await using var app = builder.Build();
        await using var database = NpgsqlDataSource.Create(connectionString + ";Maximum Pool Size=50");

        app.MapPost("/noop", async (HttpContext http) =>
        {
            await ReadAsync(http.Request);
            return Results.Created("/noop/1", new { id = Guid.Empty, application_id = 1 });
        });
        app.MapPost("/insert", async (HttpContext http) =>
        {
            var body = await ReadAsync(http.Request);
            using (JsonDocument.Parse(body)) { }
            await using var command = database.CreateCommand(Insert);
            command.Parameters.Add(new() { Value = Guid.CreateVersion7() });
            command.Parameters.Add(new() { Value = Encoding.UTF8.GetString(body), NpgsqlDbType = NpgsqlDbType.Jsonb });
            await command.ExecuteNonQueryAsync();
            return Results.Created("/insert/1", new { id = Guid.Empty, application_id = 1 });
        });
        await app.RunAsync();
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        var body = new byte[(int)request.ContentLength!.Value];
        await request.Body.ReadExactlyAsync(body);
        return body;
    }
}
