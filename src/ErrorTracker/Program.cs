using ErrorTracker.Commands;
using ErrorTracker.Configuration;
using ErrorTracker.Hosting;
using ErrorTracker.Postgres;

var invocation = CommandLine.Read(args);
if (invocation.ExitCode is { } answered) return answered;
try
{
    var builder = WebApplication.CreateBuilder(invocation.Configuration);
    var settings = Settings.Read(builder.Configuration);
    if (invocation.ShowsSettings) Secrets.Hide(builder.Configuration);
    await using var postgres = await PostgresSource.AttachAsync(settings, invocation);
    builder.AddConsole();
    builder.AddLog(settings, postgres.ConnectionString);
    builder.AddErrorTracker(settings);
    builder.AddApi();
    builder.AddTelemetry(settings);

    var app = builder.Build();
    postgres.Supervise(app);
    app.MapApi();
    app.ObserveState();
    app.AnnounceStart(postgres.Description);
    if (invocation.NeedsDatabase) await app.AwaitDatabaseAsync();
    if (invocation.Run is { } command) return await app.RunCommandAsync(command);
    await app.RequireSchemaAsync();
    await app.ServeAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (StartupException.Explain(e) is { } reason)
{
    Console.Error.WriteLine(reason);
    return 1;
}
