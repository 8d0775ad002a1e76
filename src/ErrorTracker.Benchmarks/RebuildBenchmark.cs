using System.Diagnostics;
using ErrorTracker.Log;
using JasperFx.Events;
using JasperFx.MultiTenancy;
using Marten;
using Marten.Events;

namespace ErrorTracker.Benchmarks;

/// <summary>How fast are all counters built anew from the log, against one bare GROUP BY over it, and against a projection that loads the events?</summary>
internal static class RebuildBenchmark
{
    private const int Rounds = 3, Loaded = 50_000;

    public static async Task RunAsync(Host host, int events, Report report)
    {
        var (bare, rebuild) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            bare.Add(await host.TimeAsync("select tenant_id, date_trunc('hour', timestamp), data->>'level', count(*) from errortracker.mt_events where type = 'error_occurred' group by 1, 2, 3") / 1000);
            rebuild.Add((await host.CommandAsync("projections", "rebuild")).TotalSeconds);
        }
        if (await host.ScalarAsync<long>($"select ((select coalesce(sum(count), 0) from {Counters.CounterTables.Current.Levels} where step = 'd') + (select coalesce(sum(count), 0) from {Counters.CounterTables.Current.OpenMinutes}))::bigint") != events) report.Fault("the counters differ from the log");

        var loading = await LoadAsync(host);
        report.Add($"rebuild of all counters, {events:N0} events", $"{events / rebuild.Median():N0} events/s ({rebuild.Min():0.0}–{rebuild.Max():0.0} s)",
            $"bare GROUP BY by hour and level {events / bare.Median():N0} events/s: {bare.Median() / rebuild.Median():0.00}; loading the events and counting them by minute in memory {loading:N0} events/s: {events / rebuild.Median() / loading:0.0}×");
    }

    /// <summary>Events a second that a projection could count at most, were its writing free: Marten loads a page of events, one dictionary counts them.</summary>
    private static async Task<double> LoadAsync(Host host)
    {
        await using var store = DocumentStore.For(options =>
        {
            options.Connection(host.Database);
            options.DatabaseSchemaName = Log.LogSchema.Name;
            options.AutoCreateSchemaObjects = JasperFx.AutoCreate.None;
            options.UseSystemTextJsonForSerialization();
            options.Events.TenancyStyle = TenancyStyle.Conjoined;
            options.Events.AddEventType<ErrorOccurred>();
        });
        var rates = new List<double>();
        for (var round = 0; round < Rounds; round++)
        {
            var watch = Stopwatch.StartNew();
            var counts = new Dictionary<(string, long, string, string), int>();
            for (var floor = 0; floor < Loaded; floor += 500)
            {
                await using var session = store.QuerySession();
                var (above, upto) = (floor, floor + 500);
                foreach (var e in await session.Events.QueryAllRawEvents().Where(e => e.AnyTenant() && e.Sequence > above && e.Sequence <= upto).OrderBy(e => e.Sequence).ToListAsync())
                {
                    var error = (ErrorOccurred)e.Data;
                    var key = (e.TenantId, e.Timestamp.ToUnixTimeSeconds() / 60, error.Level, error.Message);
                    counts[key] = counts.GetValueOrDefault(key) + 1;
                }
            }
            if (counts.Values.Sum() != Loaded) throw new InvalidOperationException($"{counts.Values.Sum()} of {Loaded} events were loaded.");
            rates.Add(Loaded / watch.Elapsed.TotalSeconds);
        }
        return rates.Median();
    }
}
