using ErrorTracker.Http;
using JasperFx;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
using Wolverine.Http;

namespace ErrorTracker.Applications;

/// <summary>A new application.</summary>
/// <param name="Id" example="1">1, 2, 3 …</param>
/// <param name="Name" example="my-app">As registered.</param>
/// <param name="IngestKey" example="0123456789abcdef0123456789abcdef">32 hexadecimal digits, shown in this answer only.</param>
/// <param name="CreatedAt" example="2026-01-31T12:34:56.789Z">UTC.</param>
/// <param name="Dsn" example="http://0123456789abcdef0123456789abcdef@localhost:8000/1">All that a Sentry SDK needs,
/// the key in it; its address is the public one that is configured, else the one that this request came to.</param>
public sealed record RegisteredApplication(
    int Id, string Name, string IngestKey, DateTimeOffset CreatedAt, string? Dsn = null);

public static class RegisterApplication
{
    /// <summary>Another node was faster each time.</summary>
    private const int MostAttempts = 100;

    /// <summary>On this node registrations wait here, with no connection of their own.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    public static (ApplicationName, ProblemDetails) Validate(string name, HttpContext http, FieldErrors errors) =>
        (ApplicationName.Read(name, http, errors), errors.OrNone());

    public static IResult? Before(RegistrationLimit limit, HttpContext http) => limit.Take(http.Response);

    /// <summary>Registers an application and answers its ingest key, which is shown here only.</summary>
    [WolverinePost("/apps/{name}", OperationId = "RegisterApplication")]
    [ProducesResponseType<RegisteredApplication>(201), Refuses(400, 409, 429)]
    public static async Task<IResult> Post([NotBody] ApplicationName applicationName, HttpContext http,
        IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        var registered = await RegisterAsync(applicationName.Value, store, clock, stop);
        if (registered is null) return Refusal.Of(409, $"The name '{applicationName.Value}' is taken.");
        var dsn = KeySecret.DsnOf(registered.IngestKey, registered.Id, http.Request);
        return Results.Created($"{http.Request.PathBase}/apps/{registered.Id}", registered with { Dsn = dsn });
    }

    /// <summary>Null if the name is taken.</summary>
    internal static async Task<RegisteredApplication?> RegisterAsync(
        string name, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        await Turn.WaitAsync(stop);
        try
        {
            for (var attempt = 1; ; attempt++)
                try
                {
                    return await TryRegisterAsync(name, store, clock, stop);
                }
                catch (Exception e) when (attempt < MostAttempts && IsLostRace(e))
                {
                    // Another node has taken the id, or the name, which the next attempt sees.
                }
        }
        finally
        {
            Turn.Release();
        }
    }

    private static async Task<RegisteredApplication?> TryRegisterAsync(
        string name, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        await using var session = store.LightweightSession();
        if (await session.Query<Application>().AnyAsync(application => application.Name == name, stop)) return null;

        var (secret, now) = (KeySecret.New(), Instant.Now(clock));
        var id = await IdCounter.TakeAsync(session, stop);
        session.Insert(new Application(id, name, now));
        session.Insert(IngestKey.Of(secret, id, now));
        await session.SaveChangesAsync(stop);
        return new RegisteredApplication(id, name, secret, now);
    }

    private static bool IsLostRace(Exception failure) =>
        failure is ConcurrencyException or DocumentAlreadyExistsException
            || failure.GetBaseException() is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation };
}
