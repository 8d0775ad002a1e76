using ErrorTracker.Http;
using ErrorTracker.Log;
using Microsoft.AspNetCore.Mvc;
using Npgsql;
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
/// <param name="Dsn" example="http://0123456789abcdef0123456789abcdef@localhost:8000/1">All that a Sentry SDK needs, the key in it.</param>
public sealed record CreatedKey(Guid Id, string Prefix, string IngestKey, DateTimeOffset CreatedAt, string Dsn);

/// <summary>Keys are rotated with overlap: a new one is made, the senders are told, the old one is deleted when it is no longer used.</summary>
public static class ManageKeys
{
    private const int MostKeys = 10;

    /// <summary>Changes wait here for their turn, with none of the connections that others must never wait for.</summary>
    private static readonly SemaphoreSlim Turn = new(1);

    /// <summary>Makes another key for an application, which opens at once beside the others. At most 10.</summary>
    [WolverinePost("/apps/{app_id}/keys", OperationId = "CreateKey")]
    [ProducesResponseType<CreatedKey>(201), Refuses(400, 404, 409)]
    public static async Task<IResult> Create(string app_id, HttpContext http, ApplicationDirectory applications,
        [FromServices] LogDatabases databases, TimeProvider clock, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;
        var (key, id, now) = (IngestKey.New(), Guid.CreateVersion7(), Instant.Now(clock));
        await using var command = databases.Main.Reserved.CreateCommand(
            $"""
            insert into {KeyTable.Name} (id, application_id, prefix, hash, created_at)
            select $1, $2, $3, $4, $5 where (select count(*) from {KeyTable.Name} where application_id = $2 and revoked_at is null) < {MostKeys}
            """);
        foreach (var value in new object[] { id, application!.Id, IngestKey.PrefixOf(key), IngestKey.Hash(key), now })
            command.Parameters.Add(new() { Value = value });
        return await ExecuteAsync(command, stop) == 1
            ? Results.Created($"{http.Request.PathBase}/apps/{application.Id}/keys",
                new CreatedKey(id, IngestKey.PrefixOf(key), key, now, IngestKey.DsnOf(key, application.Id, http.Request)))
            : Refusal.Of(409, $"The application has {MostKeys} keys: delete one that is no longer used.");
    }

    /// <summary>The keys that open an application, the oldest first. None is shown as itself.</summary>
    [WolverineGet("/apps/{app_id}/keys", OperationId = "ListKeys")]
    [ProducesResponseType<KeySummary[]>(200), Refuses(400, 404)]
    public static async Task<IResult> List(
        string app_id, ApplicationDirectory applications, [FromServices] LogDatabases databases, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;
        await using var view = await databases.Main.OpenReaderAsync(application!.Id, stop);
        await using var command = new NpgsqlCommand(
            $"""
            select id, prefix, created_at, last_used_at from {KeyTable.Name}
            where application_id = $1 and revoked_at is null order by created_at, id
            """,
            view.Connection);
        command.Parameters.Add(new() { Value = application.Id });
        await using var reader = await command.ExecuteReaderAsync(stop);
        var keys = new List<KeySummary>();
        while (await reader.ReadAsync(stop))
        {
            DateTimeOffset? lastUsedAt = reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3);
            keys.Add(new(reader.GetGuid(0), reader.GetString(1), reader.GetFieldValue<DateTimeOffset>(2), lastUsedAt));
        }
        return Results.Ok(keys);
    }

    /// <summary>Deletes a key. It no longer opens: here at once, on other nodes within two seconds.</summary>
    [WolverineDelete("/apps/{app_id}/keys/{key_id}", OperationId = "DeleteKey")]
    [ProducesResponseType(204), Refuses(400, 404)]
    public static async Task<IResult> Delete(string app_id, string key_id, ApplicationDirectory applications,
        [FromServices] KeyRing keys, [FromServices] LogDatabases databases, CancellationToken stop)
    {
        var (application, refusal) = await applications.ResolveAsync(app_id, stop);
        if (refusal is not null) return refusal;
        await using var command = databases.Main.Reserved.CreateCommand(
            $"update {KeyTable.Name} set revoked_at = now() where application_id = $1 and id = $2 and revoked_at is null");
        command.Parameters.Add(new() { Value = application!.Id });
        command.Parameters.Add(new() { Value = Guid.TryParse(key_id, out var id) ? id : Guid.Empty });
        var deleted = await ExecuteAsync(command, stop);
        if (deleted == 1) keys.Close(application.Id, id);
        return deleted == 1 ? Results.NoContent() : Refusal.NotFound("There is no such key.");
    }

    private static async Task<int> ExecuteAsync(NpgsqlCommand command, CancellationToken stop)
    {
        await Turn.WaitAsync(stop);
        try
        {
            return await command.ExecuteNonQueryAsync(stop);
        }
        finally
        {
            Turn.Release();
        }
    }
}
