using ErrorTracker.Hosting;
using JasperFx;

try
{
    var builder = WebApplication.CreateBuilder(args);
    await using var postgres = await Postgres.AttachAsync(builder.Configuration, args);
    builder.AddConsole();
    builder.AddLog(postgres.ConnectionString);
    builder.AddErrorTracker();
    builder.AddApi();

    var app = builder.Build();
    app.MapApi();
    app.AnnounceStart(postgres.Description);
    return await app.RunJasperFxCommands(args is [['-', ..], ..] ? ["run"] : args);
}
catch (StartupException refusal)
{
    Console.Error.WriteLine(refusal.Message);
    return 1;
}
