using System.Text;
using ErrorTracker.Log;
using Marten;
using Microsoft.Extensions.DependencyInjection;

namespace ErrorTracker.Tests.Log;

/// <summary>Marten reads what this appends: so it must be what Marten would have appended.</summary>
[Collection(nameof(OnPostgres))]
public sealed class LogAppendTests(SharedApi shared)
{
    private static readonly ErrorOccurred Full = new(
        new(2026, 1, 31, 12, 0, 0, TimeSpan.FromHours(1)), "ERROR", "boom \u2014 \"x\"", Json("""{"n":1.0}"""),
        Json("""{"release":"1"}"""), Json("""{"user":null}"""), Guid.NewGuid());

    private static readonly ErrorOccurred Bare = new(DateTimeOffset.UnixEpoch, "DEBUG", "m", null, null);

    private readonly TestApi _api = shared.Api;

    /// <summary>
    /// Ids, times and numbers of the sequence are each writer's own; every other column is equal, new ones too.
    /// </summary>
    [Fact]
    public async Task its_rows_equal_those_of_marten_column_by_column()
    {
        var (ours, martens) = (await _api.RegisterAsync(), await _api.RegisterAsync());
        await _api.StoreAsync(new[] { Full, Bare }.Select(error =>
            TestApi.Event(ours, DateTimeOffset.UtcNow) with
            {
                Data = error.ToStored(),
                Headers = """{"key": "abc", "rules": "g1"}"""u8.ToArray(),
            }));
        await using (var session = Store.LightweightSession(TenantId.Of(martens.Id)))
        {
            session.SetHeader("key", "abc");
            session.SetHeader("rules", "g1");
            session.Events.StartStream(Guid.NewGuid(), Full, Bare);
            await session.SaveChangesAsync();
        }
        var events = await EventsAsync(ours);
        Assert.Equal(await EventsAsync(martens), events);
        Assert.Contains("ErrorTracker.Ingestion.ErrorOccurred", events);
        Assert.Contains("\"rules\": \"g1\"", events);
        var streams = await StreamsAsync(ours);
        Assert.Equal(await StreamsAsync(martens), streams);
        Assert.Contains("\"version\": 2", streams);
    }

    [Fact]
    public async Task marten_reads_a_row_as_0_1_0_wrote_it_and_one_of_a_class_that_is_long_gone()
    {
        var sender = await _api.RegisterAsync();
        var (stream, ids) = (Guid.NewGuid(), new[] { Guid.NewGuid(), Guid.NewGuid() });
        await AppendAsync(
            $"""
            insert into errortracker.mt_streams (tenant_id, id, version) values ('{sender.Id}', '{stream}', 2)
            """);
        foreach (var (at, dotnetType) in new[] { "Ingestion.ErrorOccurred", "Gone.Renamed" }.Index())
            await AppendAsync(
                $$"""
                insert into errortracker.mt_events
                  (seq_id, id, stream_id, version, data, type, timestamp, tenant_id, mt_dotnet_type, is_archived)
                values (nextval('errortracker.mt_events_sequence'), '{{ids[at]}}', '{{stream}}', {{at + 1}},
                  '{"level": "INFO", "message": "old", "occurred_at": "2026-01-31T12:00:00+00:00", "tags": {} }',
                  'error_occurred', now(), '{{sender.Id}}', 'ErrorTracker.{{dotnetType}}, ErrorTracker', false)
                """);
        await using var session = Store.QuerySession(TenantId.Of(sender.Id));
        var read = await session.Events.FetchStreamAsync(stream);
        Assert.Equal(2, read.Count);
        Assert.All(read, row => Assert.Equal("old", Assert.IsType<ErrorOccurred>(row.Data).Message));
        Assert.Equal("INFO", (await session.Events.LoadAsync<ErrorOccurred>(ids[1]))!.Data.Level);
        Assert.Equal(2, (await session.Events.QueryRawEventDataOnly<ErrorOccurred>().ToListAsync()).Count);
    }

    private async Task AppendAsync(string sql)
    {
        await using var command = _api.Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private IDocumentStore Store => _api.Host.Services.GetRequiredService<IDocumentStore>();

    private static RawJson Json(string text) => new(Encoding.UTF8.GetBytes(text));

    private Task<string> EventsAsync(Sender sender) => _api.ScalarAsync<string>(
        $"""
        select string_agg(
          (to_jsonb(e) - array['tenant_id', 'seq_id', 'id', 'stream_id', 'timestamp'])::text, ', ' order by e.version)
        from errortracker.mt_events as e where e.tenant_id = '{sender.Id}'
        """);

    private Task<string> StreamsAsync(Sender sender) => _api.ScalarAsync<string>(
        $"""
        select string_agg((to_jsonb(s) - array['tenant_id', 'id', 'timestamp', 'created'])::text, ', ')
        from errortracker.mt_streams as s where s.tenant_id = '{sender.Id}'
        """);
}
