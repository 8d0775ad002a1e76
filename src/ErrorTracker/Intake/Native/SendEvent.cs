using ErrorTracker.Http;
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
    internal const string Example =
        """
        {
          "event_id": "7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10",
          "occurred_at": "2026-01-31T12:34:56.789Z",
          "level": "ERROR",
          "message": "Payment declined",
          "stack": {"type": "PaymentException", "frames": [{"file": "Checkout.cs", "line": 42}]},
          "tags": {"release": "1.4.2", "region": "eu"},
          "context": {"order": {"id": 7, "total": "12.50"}},
          "fingerprint": ["payment-declined"],
          "environment": "production"
        }
        """;

    /// <summary>
    /// Stores one error. Answered only after it is committed; an event_id that was sent before is answered as it was then.
    /// Members without a place of their own are kept in context, and what is too long or too many is cut and named in
    /// context.dropped.
    /// </summary>
    [WolverinePost("/apps/{app_id}/events", OperationId = "SendEvent")]
    [ProducesResponseType<EventReceipt>(201), ProducesResponseType<EventReceipt>(200)]
    [Refuses(400, 401, 403, 409, 413, 415, 429, 503), Ingests(MediaType.Json, Example, Type = typeof(SentEvent))]
    public static Task<IResult> Post(
        string app_id, HttpContext http, FieldErrors errors, [FromServices] IntakeServices services) =>
        new EventIntake(app_id, http, errors, services).RunAsync();
}
