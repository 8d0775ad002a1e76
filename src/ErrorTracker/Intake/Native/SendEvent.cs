using ErrorTracker.Applications;
using ErrorTracker.Commit;
using ErrorTracker.Http;
using ErrorTracker.Outcomes;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Native;

/// <summary>A committed event, which can be read where the answer's Location says.</summary>
/// <param name="Id" example="019c1234-5678-7abc-9def-0123456789ab">Of the event.</param>
/// <param name="ApplicationId" example="1">Whose event it is.</param>
/// <param name="ReceivedAt" example="2026-01-31T12:34:57.012345Z">This server's clock when the request's body had arrived whole.</param>
public sealed record EventReceipt(Guid Id, int ApplicationId, DateTimeOffset ReceivedAt);

public static class SendEvent
{
    /// <summary>
    /// Stores one error. Answered only after it is committed; an event_id that was sent before is answered as it was then.
    /// Members without a place of their own are kept in context, and what is too long or too many is cut and named in
    /// context.dropped.
    /// </summary>
    [WolverinePost("/apps/{app_id}/events", OperationId = "SendEvent")]
    [ProducesResponseType<EventReceipt>(201), ProducesResponseType<EventReceipt>(200), Refuses(400, 401, 403, 409, 413, 415, 429, 503)]
    [Ingests(Door.Json, EventBody.Example, Type = typeof(SentEvent))]
    public static async Task<IResult> Post(
        string app_id, HttpContext http, FieldErrors errors, [FromServices] KeyRing keys, [FromServices] IngestLimits limits,
        [FromServices] IntakeMemory memory,
        [FromServices] WriteQueue queue, [FromServices] OutcomeTally tally, [FromServices] TimeProvider clock, [FromServices] IHostApplicationLifetime host)
    {
        var (application, refusal) = await Door.OpenAsync(app_id, http, keys);
        if (refusal is not null) return refusal;

        using var room = memory.RoomFor(application);
        PendingEvent? pending;
        (pending, refusal) = await ReadAsync(http, application, limits, clock, room, errors, host.ApplicationStopping);
        if (refusal is not null) return refusal;
        if (!queue.TryEnqueue(pending!)) return Refusal.Busy(http.Response);
        try
        {
            var outcome = await pending!.Settled.Task;
            if (outcome.Fate == Fate.Repeated) tally.Add(new(application, Instant.Now(clock)), OutcomeTally.Duplicate);
            var receipt = new EventReceipt(pending.Id, application, outcome.ReceivedAt);
            return outcome.Fate switch
            {
                Fate.Stored => Results.Created($"{http.Request.PathBase}/apps/{application}/events/{pending.Id}", receipt),
                Fate.Repeated => Results.Ok(receipt),
                _ => Refusal.Of(409, EventBody.Conflicting),
            };
        }
        catch (Exception) // who settled the event with it has logged it
        {
            return Refusal.TryLater("The event could not be committed.", http.Response);
        }
    }

    /// <summary>The body's buffer is free again when the event is made of it. A host that stops reads no further.</summary>
    private static async Task<(PendingEvent?, IResult?)> ReadAsync(HttpContext http, int application, IngestLimits limits,
        TimeProvider clock, Room room, FieldErrors errors, CancellationToken stopping)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted, stopping);
        try
        {
            var (body, refusal) = await RequestBody.ReadAsync(http.Request, EventBody.Largest, room, stop.Token);
            if (body is null) return (null, refusal);
            using (body)
            {
                var receivedAt = Instant.Now(clock);
                if (limits.Take(application, body.Length) is { } limit) return (null, Refuse(limit, http));
                await room.TakeTurnAsync(body.Length, stop.Token);
                return EventBody.Parse(body.Bytes, errors) is { } incoming ? (PendingEvent.Of(application, incoming, receivedAt), null) : (null, Refusal.Invalid(errors));
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            return (null, Refusal.TryLater("The host is stopping.", http.Response));
        }
        finally
        {
            room.LeaveTurn();
        }
    }

    private static IResult Refuse(ReachedLimit limit, HttpContext http)
    {
        Door.Refuse(http, limit);
        return Refusal.TooMany(limit.Detail, limit.RetryAfter, http.Response);
    }
}
