using ErrorTracker.Applications;
using ErrorTracker.Commands;
using ErrorTracker.Commit;
using ErrorTracker.Configuration;
using ErrorTracker.Counters;
using ErrorTracker.Events;
using ErrorTracker.Grouping;
using ErrorTracker.Hosting;
using ErrorTracker.Intake;
using ErrorTracker.Issues;
using ErrorTracker.Log;
using ErrorTracker.Outcomes;
using ErrorTracker.Postgres;
using ErrorTracker.Projections;
using ErrorTracker.Windows;

var invocation = CommandLine.Read(args);
if (invocation.ExitCode is { } answered) return answered;
try
{
    var builder = WebApplication.CreateBuilder(invocation.Configuration);
    var settings = Settings.Read(builder.Configuration);
    if (invocation.ShowsSettings) Secrets.Hide(builder.Configuration);
    var use = invocation switch
    {
        { NeedsDatabase: false } => DatabaseUse.None,
        { Run: not null } => DatabaseUse.Command,
        _ => DatabaseUse.Host,
    };
    await using var postgres = await PostgresSource.AttachAsync(settings, use);

    builder.AddConsole();
    builder.Services.AddSingleton(settings);
    builder.Services.AddSingleton(TimeProvider.System);
    builder.Services.AddLog(settings, postgres.ConnectionString);
    builder.Services.AddGrouping();
    builder.Services.AddProjections();
    builder.Services.AddCounters();
    builder.AddNodes(settings);
    builder.Services.AddApplications(settings);
    builder.Services.AddOutcomes();
    builder.Services.AddCommit();
    builder.Services.AddIntake(settings);
    builder.Services.AddWindows();
    builder.Services.AddEvents();
    builder.Services.AddIssues();
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
