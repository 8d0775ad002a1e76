using System.Diagnostics;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using ErrorTracker.Projections;
using Npgsql;

namespace ErrorTracker.Crash;

/// <summary>
/// In how many seconds all running nodes serve again: an event is stored, readiness is green, and a fresh event is
/// folded.
/// </summary>
internal sealed record Recovery(double Ingest, double Ready, double Folded)
{
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public double Seconds => Math.Max(Math.Max(Ingest, Ready), Folded);

    public static async Task<Recovery> MeasureAsync(Stage stage, CancellationToken stop)
    {
        var watch = Stopwatch.StartNew();
        var nodes = await Task.WhenAll(stage.Running.Select(node => MeasureAsync(stage, node, watch, stop)));
        return new(nodes.Max(n => n.Ingest), nodes.Max(n => n.Ready), nodes.Max(n => n.Folded));
    }

    public static Task ReadyAsync(Node node, CancellationToken stop) =>
        UntilAsync($"node {node.Number} is ready", async () =>
        {
            using var answer = await node.Http.GetAsync("/health/ready", stop);
            var body = await answer.Content.ReadAsStringAsync(stop);
            return (answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {body}");
        }, stop);

    public static Task AllFoldedAsync(Cluster cluster, CancellationToken stop) =>
        FoldedAsync(cluster, $"select coalesce(max(seq_id), 0) from {LogSchema.Name}.mt_events", "the whole log", stop);

    private static async Task<Recovery> MeasureAsync(Stage stage, Node node, Stopwatch watch, CancellationToken stop)
    {
        var ready = UntilReadyAsync();
        var probe = Parcel.Probe(stage.Ledger, stage.Applications[0]);
        await UntilAsync($"node {node.Number} stores an event", async () =>
        {
            await probe.SendAsync(node, stage.Ledger);
            return (probe.IsAcknowledged, $"{probe.Events[0]}");
        }, stop);
        var ingest = watch.Elapsed.TotalSeconds;
        var place = $"select seq_id from {LogSchema.Name}.mt_events where id = '{probe.Events[0].StoredAs}'";
        await FoldedAsync(stage.Cluster, place, "a fresh event", stop);
        return new(ingest, await ready, watch.Elapsed.TotalSeconds);

        async Task<double> UntilReadyAsync()
        {
            await ReadyAsync(node, stop);
            return watch.Elapsed.TotalSeconds;
        }
    }

    /// <param name="place">SQL for the sequence number up to which the log is to be folded.</param>
    private static Task FoldedAsync(Cluster cluster, string place, string what, CancellationToken stop)
    {
        var unfolded =
            $"""
            select
              ({place})
              - (select last_seq_id from {LogProgress.Table} where name = '{CountersProjection.Definition.Row}')
            """;
        return UntilAsync($"{what} is folded", async () =>
        {
            var left = await cluster.ScalarAsync<long>(unfolded, stop);
            return (left <= 0, $"{left} sequence numbers are left");
        }, stop);
    }

    /// <summary>Waits for a condition, and says at the limit what stood in its way.</summary>
    public static async Task UntilAsync(
        string what, Func<Task<(bool IsSo, string Otherwise)>> condition, CancellationToken stop)
    {
        for (var watch = Stopwatch.StartNew(); ; await Task.Delay(Pause, stop))
        {
            string otherwise;
            try
            {
                (var isSo, otherwise) = await condition();
                if (isSo) return;
            }
            catch (Exception e)
                when (e is HttpRequestException or NpgsqlException or IOException or InvalidCastException)
            {
                otherwise = e.Message;
            }
            if (watch.Elapsed > Limit)
                throw new TimeoutException($"After {Limit.TotalSeconds:0} s it is not so that {what}: {otherwise}");
        }
    }
}
