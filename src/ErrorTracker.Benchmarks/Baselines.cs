using System.Net;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// What ingest is measured against, in a process of its own on the same web server: a POST that reads its body and forgets it, and the plain service that
/// a team would write instead, one INSERT a request into a table of the log's shape and indexes.
/// </summary>
internal static class Baselines
{
    public const string Table = "bench_events";

    public static async Task ServeAsync(string connectionString, int port)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(x => x.Listen(IPAddress.Loopback, port));
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
            await using var command = database.CreateCommand($"insert into {Table} select nextval('{Table}_sequence'), $1, $1, 1, $2, 'error_occurred', now(), '1', 'x', false");
            command.Parameters.Add(new() { Value = Guid.CreateVersion7() });
            command.Parameters.Add(new() { Value = System.Text.Encoding.UTF8.GetString(body), NpgsqlDbType = NpgsqlDbType.Jsonb });
            await command.ExecuteNonQueryAsync();
            return Results.Created("/insert/1", new { id = Guid.Empty, application_id = 1 });
        });
        await app.RunAsync();
    }

    /// <summary>The log's columns and indexes, without what Marten adds around them.</summary>
    public static Task CreateAsync(Host host) => host.TimeAsync(
        $"""
        create sequence {Table}_sequence;
        create table {Table} as select seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived from errortracker.mt_events limit 0;
        alter table {Table} add primary key (seq_id);
        create unique index on {Table} (tenant_id, stream_id, version);
        create unique index on {Table} (id);
        create index on {Table} (tenant_id, timestamp desc, seq_id desc) where {Counters.CounterFold.IsError};
        create index on {Table} (tenant_id, ({Counters.CounterFold.Level}), timestamp desc, seq_id desc) where {Counters.CounterFold.IsError};
        """);

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        var body = new byte[(int)request.ContentLength!.Value];
        await request.Body.ReadExactlyAsync(body);
        return body;
    }
}
