using ErrorTracker.Hosting;
using JasperFx;
using Microsoft.AspNetCore.Connections;

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
    if (args is not ([] or [['-', ..], ..])) return await app.RunJasperFxCommands(args);
    await app.RunAsync();
    return 0;
}
catch (Exception reason) when (reason is StartupException or IOException { InnerException: AddressInUseException })
{
    Console.Error.WriteLine(reason.Message);
    return 1;
}
