using ErrorTracker.Benchmarks;
using ErrorTracker.Benchmarks.Crash;
using ErrorTracker.Hosting;

if (args is [BaselineProcess.Command, var connectionString, var port])
{
    await Baselines.ServeAsync(connectionString, int.Parse(port));
    return 0;
}
if (args is [CrashCommand.Name, .. var options]) return await CrashCommand.RunAsync(options);

var events = 1_000_000;
var questions = new List<string>();
for (var i = 0; i < args.Length; i++)
    if (args[i] == "--events" && i + 1 < args.Length && int.TryParse(args[++i], out events)) continue;
    else questions.Add(args[i]);
var all = new Dictionary<string, Func<int, Report, Task>>
{
    ["statistics"] = StatisticsBenchmark.RunAsync, // pages, sizes and the rebuild too, on the same log
    ["ingest"] = IngestBenchmark.RunAsync,
    ["load"] = LoadBenchmark.RunAsync,
};
if (questions.FirstOrDefault(q => !all.ContainsKey(q)) is { } unknown)
{
    Console.Error.WriteLine($"There is no question {unknown}: ask {string.Join(", ", all.Keys)}.");
    return 2;
}

var isVoid = false;
foreach (var (name, ask) in all.Where(question => questions.Count == 0 || questions.Contains(question.Key)))
{
    var report = new Report(name);
    await ask(events, report);
    await report.WriteAsync("BENCHMARKS.md");
    isVoid |= report.IsVoid;
}
return isVoid ? 1 : 0;
