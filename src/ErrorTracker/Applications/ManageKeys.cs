using ErrorTracker.Http;
using ErrorTracker.Log;
using Marten;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Applications;

/// <summary>A key that opens an application.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">To delete it by.</param>
/// <param name="Prefix" example="01234567">The key's first characters, to tell it by.</param>
/// <param name="CreatedAt" example="2026-01-31T12:34:56.789Z">UTC.</param>
/// <param name="LastUsedAt" example="2026-01-31T12:34:56.789Z">UTC, late by some seconds; null if it never was.</param>
public sealed record KeySummary(Guid Id, string Prefix, DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt);

/// <summary>A new key.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">To delete it by.</param>
/// <param name="Prefix" example="01234567">The key's first characters, to tell it by.</param>
/// <param name="IngestKey" example="0123456789abcdef0123456789abcdef">32 hexadecimal digits, shown in this answer only.</param>
/// <param name="CreatedAt" example="2026-01-31T12:34:56.789Z">UTC.</param>
/// <param name="Dsn" example="http://0123456789abcdef0123456789abcdef@localhost:8000/1">All that a Sentry SDK needs, the
/// key in it.</param>
public sealed record CreatedKey(Guid Id, string Prefix, string IngestKey, DateTimeOffset CreatedAt, string Dsn);

/// <summary>
/// Keys are rotated with overlap: a new one is made, the senders are told, the old one is deleted when it is no longer
/// used.
/// </summary>
public static class ManageKeys
{
    private const int MostKeys = 10;

    /// <summary>Changes wait here for their turn, with none of the connections that others must never wait for.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    public static Task<(Application?, ProblemDetails)> LoadAsync(
        string app_id, ApplicationDirectory applications, CancellationToken stop) => applications.LoadAsync(app_id, stop);

    /// <summary>Makes another key for an application, which opens at once beside the others. At most 10.</summary>
    [WolverinePost("/apps/{app_id}/keys", OperationId = "CreateKey")]
    [ProducesResponseType<CreatedKey>(201), Refuses(400, 404, 409)]
    public static async Task<IResult> Create([NotBody] Application application, HttpContext http,
        IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        var secret = KeySecret.New();
        var key = IngestKey.Of(secret, application.Id, Instant.Now(clock));
        if (!await InTurnAsync(() => TryAddAsync(key, store, stop), stop))
            return Refusal.Of(409, $"The application has {MostKeys} keys: delete one that is no longer used.");

        var dsn = KeySecret.DsnOf(secret, application.Id, http.Request);
        return Results.Created($"{http.Request.PathBase}/apps/{application.Id}/keys",
            new CreatedKey(key.Id, key.Prefix, secret, key.CreatedAt, dsn));
    }

    /// <summary>The keys that open an application, the oldest first. None is shown as itself.</summary>
    [WolverineGet("/apps/{app_id}/keys", OperationId = "ListKeys")]
    [ProducesResponseType<KeySummary[]>(200), Refuses(400, 404)]
    public static async Task<IEnumerable<KeySummary>> List(
        Application application, IDocumentStore store, LogDatabases databases, CancellationToken stop)
    {
        await using var reader = await databases.Main.OpenReaderAsync(application.Id, stop);
        await using var session = store.QuerySession(Marten.Services.SessionOptions.ForConnection(reader.Connection));
        var keys = await KeysOf(application.Id, session).ToListAsync(stop);
        var uses = await session.LoadManyAsync<IngestKeyUse>(stop, keys.Select(key => key.Id));
        var lastUses = uses.ToDictionary(use => use.Id, use => use.LastUsedAt);
        return
            from key in keys
            orderby key.CreatedAt, key.Id
            let isUsed = lastUses.ContainsKey(key.Id)
            select new KeySummary(key.Id, key.Prefix, key.CreatedAt, isUsed ? lastUses[key.Id] : null);
    }

    /// <summary>Deletes a key. It no longer opens: here at once, on other nodes within two seconds.</summary>
    [WolverineDelete("/apps/{app_id}/keys/{key_id}", OperationId = "DeleteKey")]
    [ProducesResponseType(204), Refuses(400, 404)]
    public static async Task<IResult> Delete([NotBody] Application application, string key_id,
        [FromServices] KeyRing keys, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        var isKey = Guid.TryParse(key_id, out var id)
            && await InTurnAsync(() => TryRevokeAsync(id, application.Id, store, clock, stop), stop);
        if (!isKey) return Refusal.NotFound("There is no such key.");
        keys.Close(application.Id, id);
        return Results.NoContent();
    }

    private static IQueryable<IngestKey> KeysOf(int applicationId, IQuerySession session) =>
        session.Query<IngestKey>().Where(key => key.ApplicationId == applicationId && key.RevokedAt == null);

    private static async Task<bool> TryAddAsync(IngestKey key, IDocumentStore store, CancellationToken stop)
    {
        await using var session = store.LightweightSession();
        if (await KeysOf(key.ApplicationId, session).CountAsync(stop) >= MostKeys) return false;
        session.Insert(key);
        await session.SaveChangesAsync(stop);
        return true;
    }

    private static async Task<bool> TryRevokeAsync(
        Guid id, int applicationId, IDocumentStore store, TimeProvider clock, CancellationToken stop)
    {
        await using var session = store.LightweightSession();
        var key = await session.LoadAsync<IngestKey>(id, stop);
        if (key is null || key.ApplicationId != applicationId || key.RevokedAt is not null) return false;
        session.Update(key with { RevokedAt = Instant.Now(clock) });
        await session.SaveChangesAsync(stop);
        return true;
    }

    private static async Task<bool> InTurnAsync(Func<Task<bool>> change, CancellationToken stop)
    {
        await Turn.WaitAsync(stop);
        try
        {
            return await change();
        }
        finally
        {
            Turn.Release();
        }
    }
}
