using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using ErrorTracker.Http;
using Marten;
using Microsoft.AspNetCore.Http.Features;
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
public sealed record RegisteredApplication(int Id, string Name, string IngestKey, DateTimeOffset CreatedAt, string? Dsn = null);

public static partial class RegisterApplication
{
    private const int LongestName = 100, RegistrationLock = 0x45525452;

    /// <summary>Registers an application and answers its ingest key, which is shown here only.</summary>
    [WolverinePost("/apps/{name}", OperationId = "RegisterApplication")]
    [ProducesResponseType<RegisteredApplication>(201), Refuses(400, 409, 429)]
    public static async Task<IResult> Post(string name, HttpContext http, FieldErrors errors,
        [FromServices] RegistrationLimit limit, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        var decoded = Sent(http) is { } sent ? Decode(sent) : name;
        if ((decoded is null ? "must be UTF-8, percent-encoded" : Fault(decoded)) is { } fault) errors["name"] = [fault];
        if (errors.Count > 0) return Refusal.Invalid(errors);
        if (limit.Take(http.Response) is { } refusal) return refusal;

        return await RegisterAsync(decoded!, store, clock, stop) is { } registered
            ? Results.Created($"{http.Request.PathBase}/apps/{registered.Id}",
                registered with { Dsn = IngestKey.DsnOf(registered.IngestKey, registered.Id, http.Request) })
            : Refusal.Of(409, $"The name '{decoded}' is taken.");
    }

    /// <summary>Null if the name is taken.</summary>
    internal static async Task<RegisteredApplication?> RegisterAsync(string name, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        await Turn.WaitAsync(stop);
        try
        {
            return await RegisterNextAsync(name, store, clock, stop);
        }
        finally
        {
            Turn.Release();
        }
    }

    private static async Task<RegisteredApplication?> RegisterNextAsync(string name, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        var key = IngestKey.New();
        await using var session = store.LightweightSession();
        await session.BeginTransactionAsync(stop);
        var id = await NextIdAsync(session, stop);
        if (await session.Query<Application>().AnyAsync(a => a.Name == name, stop)) return null;
        var application = new Application(id, name, Instant.Now(clock));
        session.Insert(application);
        session.QueueSqlCommand(KeyTable.Insert, Guid.CreateVersion7(), id, IngestKey.PrefixOf(key), IngestKey.Hash(key), application.CreatedAt);
        await session.SaveChangesAsync(stop);
        return new RegisteredApplication(id, name, key, application.CreatedAt);
    }

    internal static string? Fault(string name) =>
        name.Any(char.IsControl) ? "must not have control characters"
        : string.IsNullOrWhiteSpace(name) ? "must not be empty"
        : name.EnumerateRunes().Count() > LongestName ? $"must not be longer than {LongestName} characters"
        : null;

    /// <summary>The name as it was sent: the web server decodes all of a path but %2F and what is no UTF-8, and what it leaves looks as if it were meant so.</summary>
    private static string? Sent(HttpContext http) =>
        http.Features.Get<IHttpRequestFeature>()?.RawTarget.Split('?')[0] is ['/', ..] path ? path[(path.LastIndexOf('/') + 1)..] : null;

    /// <summary>Null if it is no percent-encoded UTF-8.</summary>
    private static string? Decode(string sent)
    {
        try
        {
            var bytes = Encoding.UTF8.GetBytes(sent.Replace("+", "%2B"));
            var decoded = StrictUtf8.GetString(WebUtility.UrlDecodeToBytes(bytes, 0, bytes.Length)!);
            return BadEscape().IsMatch(sent) ? null : decoded;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    [GeneratedRegex("%(?![0-9A-Fa-f]{2})")]
    private static partial Regex BadEscape();

    /// <summary>On this node they wait here, with no connection of their own.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>Registrations are rare, so they queue on a lock until commit: ids have no gaps, whatever fails or restarts.</summary>
    private static async Task<int> NextIdAsync(IDocumentSession session, CancellationToken stop)
    {
        await using var command = new NpgsqlCommand("select pg_advisory_xact_lock($1)") { Parameters = { new() { Value = (long)RegistrationLock } } };
        command.Connection = session.Connection;
        await command.ExecuteNonQueryAsync(stop);
        return await session.Query<Application>().CountAsync(stop) + 1;
    }
}
