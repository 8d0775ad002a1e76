using ErrorTracker.Applications;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Ingestion;

/// <summary>A committed event, which can be read where the answer's Location says.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">Of the event.</param>
/// <param name="ApplicationId" example="1">Whose event it is.</param>
/// <param name="ReceivedAt" example="2026-01-31T12:34:57.012345Z">This server's clock when the request arrived.</param>
public sealed record EventReceipt(Guid Id, int ApplicationId, DateTimeOffset ReceivedAt);

public static class SendEvent
{
    public const string KeyHeader = "X-INGEST-KEY";

    /// <summary>Stores one error. Answered only after it is committed.</summary>
    [WolverinePost("/apps/{app_id}/events")]
    [ProducesResponseType<EventReceipt>(201), Refuses(400, 401, 403, 413, 415, 503), Ingests("application/json", EventBody.Example)]
    public static async Task<IResult> Post(string app_id, HttpContext http, [FromServices] ApplicationDirectory applications,
        [FromServices] WriteQueue queue, [FromServices] TimeProvider clock)
    {
        var receivedAt = Instant.Now(clock);
        if (!ApplicationDirectory.TryParseId(app_id, out var id)) return Refusal.Invalid("app_id", "must be a positive integer");
        if (await RefuseSenderAsync(id, http, applications) is { } refusal) return refusal;
        if (!http.Request.HasJsonContentType()) return Refusal.Of(415, "The body must be application/json.");

        var body = await RequestBody.ReadAsync(http.Request, EventBody.Largest, http.RequestAborted);
        if (body is null) return Refusal.Of(413, "The body must not be larger than 1 MiB.");

        var errors = new Dictionary<string, string[]>();
        if (EventBody.Parse(body, errors) is not { } error) return Refusal.Invalid(errors);

        var pending = new PendingEvent(id, Guid.CreateVersion7(receivedAt), receivedAt, error, body.Length);
        if (!queue.TryEnqueue(pending)) return Refusal.TryLater("The write queue is full.", http.Response);
        try
        {
            await pending.Committed.Task;
        }
        catch (Exception)
        {
            return Refusal.TryLater("The event could not be committed.", http.Response);
        }
        return Results.Created($"/apps/{id}/events/{pending.Id}", new EventReceipt(pending.Id, id, receivedAt));
    }

    /// <summary>A wrong key and an unknown application are answered alike, so that nobody can probe for applications.</summary>
    private static async ValueTask<IResult?> RefuseSenderAsync(int id, HttpContext http, ApplicationDirectory applications)
    {
        var key = http.Request.Headers[KeyHeader].ToString();
        if (key.Length == 0) return Refusal.Of(401, $"The header {KeyHeader} is required.");
        return IngestKey.Opens(key, await applications.FindAsync(id, http.RequestAborted)) ? null : Refusal.Of(403, "The key does not open this application.");
    }
}
