using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Sentry;

/// <summary>
/// Where Sentry SDKs send, by the protocol that they share (https://develop.sentry.dev/sdk/data-model/envelopes/). This room speaks it: it makes events like those of
/// the native endpoints, which go the same way into the log. It may use Ingestion and Applications.
/// </summary>
public static class SendEnvelope
{
    private const string Example =
        """
        {"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","sent_at":"2026-01-31T12:34:57Z"}
        {"type":"event"}
        {"timestamp":"2026-01-31T12:34:56.789Z","level":"error","exception":{"values":[{"type":"PaymentException","value":"declined"}]}}

        """;

    /// <summary>Takes an envelope of a Sentry SDK: at most one event, which is stored, and its client reports. Answered 200 only after they are committed; SDKs are asked not to send what is not kept.</summary>
    [WolverinePost("/api/{app_id}/envelope")]
    [ProducesResponseType<SentryReceipt>(200), Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = "application/json"), Ingests("application/x-sentry-envelope", Example)]
    public static async Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services)
    {
        using var intake = new EnvelopeIntake(app_id, http, services);
        return await intake.RunAsync();
    }

    private sealed class EnvelopeIntake(string app_id, HttpContext http, IntakeServices services) : Intake(app_id, http, services)
    {
        private readonly EnvelopeReader _reader = new();
        private string? _eventId;

        protected override bool ShowsKeyInBody => true;

        protected override int Held => _reader.Capacity;

        protected override async ValueTask<SentryRefusal?> TakeAsync(Memory<byte> bytes)
        {
            while (Next(ref bytes) is { } part)
                if (await TakeAsync(part) is { } refusal) return refusal;
            return null;
        }

        protected override async ValueTask<SentryRefusal?> FinishAsync() => _reader.TryFinish(out var part) ? await TakeAsync(part) : null;

        private EnvelopePart? Next(ref Memory<byte> bytes)
        {
            ReadOnlySpan<byte> input = bytes.Span;
            var found = _reader.TryRead(ref input, out var part);
            bytes = bytes[(bytes.Length - input.Length)..];
            return found ? part : null;
        }

        private ValueTask<SentryRefusal?> TakeAsync(EnvelopePart part)
        {
            if (part.Kind == EnvelopePartKind.Refused) return new(Key is null ? SentryRefusal.NoKey : part.Refusal);
            if (part.Kind == EnvelopePartKind.Item) return new(Keep(part.Type, part.Payload, _eventId));
            _eventId = part.EventId;
            return OpenByAsync(part.Dsn);
        }
    }
}
