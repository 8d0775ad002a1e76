using System.Diagnostics;
using ErrorTracker.Counters;
using ErrorTracker.Log;
using Marten;

namespace ErrorTracker.Benchmarks;

/// <summary>
/// How fast are all counters built anew from the log, against one bare GROUP BY over it, and against a projection that
/// loads the events?
/// </summary>
internal static class RebuildBenchmark
{
    private const int Rounds = 3, Loaded = 50_000, Page = 500;

    private static readonly string BareGroupBy =
        $"""
        select tenant_id, date_trunc('hour', timestamp), data->>'level', count(*)
        from {LogSchema.Name}.mt_events
        where type = '{EventKinds.ErrorOccurred.StoredType}'
        group by 1, 2, 3
        """;

    private static readonly string Counted =
        $"""
        select
        (
          (select coalesce(sum(count), 0) from {CounterTables.Current.Levels} where step = 'd')
          + (select coalesce(sum(count), 0) from {CounterTables.Current.OpenMinutes})
        )::bigint
        """;

    public static async Task RunAsync(Host host, int events, Report report)
    {
        List<double> bare = [], rebuild = [];
        for (var round = 0; round < Rounds; round++)
        {
            bare.Add(await host.TimeAsync(BareGroupBy) / 1000);
            rebuild.Add((await host.CommandAsync("projections", "rebuild")).TotalSeconds);
        }
        if (await host.ScalarAsync<long>(Counted) != events) report.Fault("the counters differ from the log");

        var loading = await LoadAsync(host);
        var rate = events / rebuild.Median();
        report.Add(
            $"rebuild of all counters, {events:N0} events",
            $"{rate:N0} events/s ({rebuild.Min():0.0}–{rebuild.Max():0.0} s)",
            "bare GROUP BY by hour and level "
            + $"{events / bare.Median():N0} events/s: {bare.Median() / rebuild.Median():0.00}; "
            + "loading the events and counting them by minute in memory "
            + $"{loading:N0} events/s: {rate / loading:0.0}×");
    }

    /// <summary>
    /// Events a second that a projection could count at most, were its writing free: Marten loads a page of events, one
    /// dictionary counts them.
    /// </summary>
    private static async Task<double> LoadAsync(Host host)
    {
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(host.Database);
            options.DatabaseSchemaName = LogSchema.Name;
            options.AutoCreateSchemaObjects = JasperFx.AutoCreate.None;
            options.UseSystemTextJsonForSerialization();
            options.Events.TenancyStyle = JasperFx.MultiTenancy.TenancyStyle.Conjoined;
            options.Events.AddEventType<ErrorOccurred>();
        });
        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            var counts = new Dictionary<(string, long, string, string), int>();
            for (var floor = 0; floor < Loaded; floor += Page)
            {
                await using var session = store.QuerySession();
                var above = floor;
                var upto = floor + Page;
                var page = await session.Events.QueryAllRawEvents()
                    .Where(e => e.AnyTenant() && e.Sequence > above && e.Sequence <= upto)
                    .OrderBy(e => e.Sequence)
                    .ToListAsync();
                foreach (var stored in page)
                {
                    var error = (ErrorOccurred)stored.Data;
                    var minute = stored.Timestamp.ToUnixTimeSeconds() / 60;
                    var key = (stored.TenantId, minute, error.Level, error.Message);
                    counts[key] = counts.GetValueOrDefault(key) + 1;
                }
            }
            var counted = counts.Values.Sum();
            if (counted != Loaded) throw new InvalidOperationException($"{counted} of {Loaded} events were loaded.");
            rates.Add(Loaded / watch.Elapsed.TotalSeconds);
        }
        return rates.Median();
    }
}
