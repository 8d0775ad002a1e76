using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace ErrorTracker.Tests.Hosting;

[Collection(nameof(OnAnotherPostgres))]
public sealed class TelemetryTests(SharedApi shared)
{
    private static readonly string[] Metrics =
    [
        "errortracker.events.accepted", "errortracker.events.refused", "invalid", "errortracker.queue.depth",
        "errortracker.commit.size", "errortracker.commit.duration", "errortracker.projection.lag",
    ];

    /// <summary>A collector that keeps what it gets. OTLP is protobuf, in which names stand as they are.</summary>
    [Fact]
    public async Task metrics_and_traces_go_where_opentelemetry_is_told_to()
    {
        var received = new ConcurrentQueue<(string Path, string Body)>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        await using var collector = builder.Build();
        collector.MapPost("/v1/{signal}", async http =>
        {
            using var body = new MemoryStream();
            await http.Request.Body.CopyToAsync(body);
            received.Enqueue((http.Request.Path, Encoding.Latin1.GetString(body.ToArray())));
        });
        await collector.StartAsync();

        await using var host = await HostProcess.StartAsync(
            ("ConnectionStrings__ErrorTracker", await shared.Server.NewDatabaseAsync()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Urls.Single()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200"),
            ("OTEL_BSP_SCHEDULE_DELAY", "200"));
        var sender = await host.RegisterAsync();
        foreach (var body in new[] { """{"occurred_at":"2026-01-31T12:00:00Z","level":"ERROR","message":"m"}""", "{}" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"/apps/{sender.Id}/events")
            {
                Content = new StringContent(body, null, "application/json"),
                Headers = { { "X-INGEST-KEY", sender.Key } },
            };
            await host.Http.SendAsync(request);
        }

        await Eventually.Async(
            () => Task.FromResult(Metrics.All(name => HasArrived("/v1/metrics", name))), "all metrics have arrived");
        await Eventually.Async(
            () => Task.FromResult(HasArrived("/v1/traces", "commit", "ErrorTracker")),
            "the commit's trace has arrived");
        Assert.DoesNotContain(received, r => r.Body.Contains(sender.Key));

        bool HasArrived(string path, params string[] names) =>
            received.Any(r => r.Path == path && names.All(name => r.Body.Contains(name)));
    }
}
