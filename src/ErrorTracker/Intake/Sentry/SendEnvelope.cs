using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendEnvelope
{
    private const string Example =
        """
        {"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","sent_at":"2026-01-31T12:34:57Z"}
        {"type":"event"}
        {"timestamp":"2026-01-31T12:34:56.789Z","level":"error","exception":{"values":[{"type":"PaymentException","value":"declined"}]}}

        """;

    /// <summary>
    /// Takes an envelope of a Sentry SDK: at most one event, security reports, and a crash that only a dump tells of,
    /// which are stored, and client reports, which are counted. Answered 200 only after the commit; SDKs are asked not
    /// to send what is not kept.
    /// </summary>
    [WolverinePost("/api/{app_id}/envelope", OperationId = "SendEnvelope")]
    [ProducesResponseType<SentryReceipt>(200), Ingests("application/x-sentry-envelope", Example)]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    public static Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        new EnvelopeIntake(app_id, http, services).RunAsync();

    private sealed class EnvelopeIntake(string app_id, HttpContext http, IntakeServices services)
        : SentryIntake(app_id, http, services)
    {
        private readonly EnvelopeReader _reader = new();
        private string? _eventId;

        protected override bool ShowsKeyInBody => true;

        protected override int Held => _reader.Capacity;

        protected override async ValueTask<IntakeRefusal?> ReadAsync(
            SentryBody body, Memory<byte> buffer, CancellationToken stop)
        {
            if (await ReadEachAsync(body, buffer, TakeAsync, stop) is { } refusal) return refusal;
            return _reader.TryFinish(out var part) ? await TakeAsync(part) : null;
        }

        protected override (Memory<byte> Event, string? HeaderId) DescribeCrash() =>
            (base.DescribeCrash().Event, _eventId);

        private async ValueTask<IntakeRefusal?> TakeAsync(Memory<byte> bytes)
        {
            while (Next(ref bytes) is { } part)
                if (await TakeAsync(part) is { } refusal) return refusal;
            return null;
        }

        private EnvelopePart? Next(ref Memory<byte> bytes)
        {
            ReadOnlySpan<byte> input = bytes.Span;
            var found = _reader.TryRead(ref input, out var part);
            bytes = bytes[(bytes.Length - input.Length)..];
            return found ? part : null;
        }

        private ValueTask<IntakeRefusal?> TakeAsync(EnvelopePart part)
        {
            if (part.Kind == EnvelopePartKind.Refused) return new(Key is null ? SentryRefusal.NoKey : part.Refusal);
            if (part.Kind == EnvelopePartKind.Item) return new(Take(part));
            _eventId = part.EventId;
            return OpenByAsync(part.Dsn);
        }

        private IntakeRefusal? Take(EnvelopePart item)
        {
            if (item.Type == EnvelopeReader.Event) return Items.KeepEvent(item.Payload, _eventId);
            if (item.Type == EnvelopeReader.ClientReport) Items.KeepClientReport(item.Payload);
            else if (CrashDump.Of(item) is { } dump) Items.KeepDump(dump);
            else if (item.Type is EnvelopeReader.SecurityReport or EnvelopeReader.NetworkReport) KeepReports(item.Payload);
            else Items.PassOver(item.Type, item.Header.Count);
            return null;
        }

        private void KeepReports(Memory<byte> payload)
        {
            if (!Items.TryKeepReports(payload)) Items.PassOver(Unkept.Security);
        }
    }
}
