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
    /// <summary>Stores one error. Answered only after it is committed; an event_id that was sent before is answered as it was then.</summary>
    [WolverinePost("/apps/{app_id}/events")]
    [ProducesResponseType<EventReceipt>(201), ProducesResponseType<EventReceipt>(200), Refuses(400, 401, 403, 409, 413, 415, 503), Ingests(Door.Json, EventBody.Example)]
    public static async Task<IResult> Post(string app_id, HttpContext http, [FromServices] KeyRing keys,
        [FromServices] WriteQueue queue, [FromServices] OutcomeTally tally, [FromServices] TimeProvider clock, [FromServices] IHostApplicationLifetime host)
    {
        var receivedAt = Instant.Now(clock);
        var (application, refusal) = await Door.OpenAsync(app_id, http, keys, receivedAt);
        if (refusal is not null) return refusal;

        using var room = queue.RoomFor(application);
        PendingEvent? pending;
        (pending, refusal) = await ReadAsync(http.Request, application, receivedAt, room, host.ApplicationStopping);
        if (refusal is not null) return refusal;
        if (!queue.TryEnqueue(pending!)) return Refusal.Busy(http.Response);
        try
        {
            var outcome = await pending!.Settled.Task;
            if (outcome.Fate == Fate.Repeated) tally.Add(new(application, receivedAt), OutcomeTally.Duplicate);
            var receipt = new EventReceipt(pending.Id, application, outcome.ReceivedAt);
            return outcome.Fate switch
            {
                Fate.Stored => Results.Created($"{http.Request.PathBase}/apps/{application}/events/{pending.Id}", receipt),
                Fate.Repeated => Results.Ok(receipt),
                _ => Refusal.Of(409, EventBody.Conflicting),
            };
        }
        catch (Exception)
        {
            return Refusal.TryLater("The event could not be committed.", http.Response);
        }
    }

    /// <summary>The body's buffer is free again when the event is made of it. A host that stops reads no further.</summary>
    private static async Task<(PendingEvent?, IResult?)> ReadAsync(HttpRequest request, int application, DateTimeOffset receivedAt, Room room, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(request.HttpContext.RequestAborted, stopping);
        try
        {
            var (body, refusal) = await RequestBody.ReadAsync(request, EventBody.Largest, room, stop.Token);
            if (body is null) return (null, refusal);
            using (body)
            {
                var errors = new Dictionary<string, string[]>();
                return EventBody.Parse(body.Bytes, errors) is { } incoming ? (PendingEvent.Of(application, incoming, receivedAt), null) : (null, Refusal.Invalid(errors));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (null, Refusal.TryLater("The host is stopping.", request.HttpContext.Response));
        }
    }
}
