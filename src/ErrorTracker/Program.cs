using ErrorTracker.Hosting;

try
{
    var builder = WebApplication.CreateBuilder(args);
    await using var postgres = await Postgres.AttachAsync(builder.Configuration, args);
    builder.AddConsole();
    builder.AddLog(postgres.ConnectionString);
    builder.AddErrorTracker();
    builder.AddApi();
    builder.AddTelemetry();

    var app = builder.Build();
    postgres.Supervise(app);
    app.MapApi();
    app.ObserveState();
    app.AnnounceStart(postgres.Description);
    if (Commands.IsCommand(args)) return await app.RunCommandAsync(args);
    await app.AwaitDatabaseAsync();
    await app.RequireSchemaAsync();
    await app.RunAsync();
    return Environment.ExitCode;
}
catch (Exception e) when (StartupException.Explain(e) is { } reason)
{
    Console.Error.WriteLine(reason);
    return 1;
}
