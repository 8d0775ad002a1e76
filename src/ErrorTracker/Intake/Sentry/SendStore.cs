using System.Buffers;
using System.Buffers.Text;
using System.IO.Compression;
using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendStore
{
    private const string
        Id = "7d3f1f0e6f3b4f649a550d6f7c1f2a10",
        Time = "2026-01-31T12:34:56.789Z",
        Example = $$"""{"event_id":"{{Id}}","timestamp":"{{Time}}","level":"error","message":"Payment declined"}""";

    private const string Compressed = "eJyrVspNLS5OTE9VslLKVaoFACq2BQ0="; // {"message":"m"}

    /// <summary>
    /// Takes one event of an older Sentry SDK: its JSON, or that compressed with zlib and written in Base64. Answered
    /// 200 only after it is committed.
    /// </summary>
    [WolverinePost("/api/{app_id}/store", OperationId = "SendStore")]
    [ProducesResponseType<SentryReceipt>(200)]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = MediaType.Json)]
    [Ingests(MediaType.Json, Example, Type = typeof(SdkEvent)), Ingests("text/plain", Compressed)]
    public static Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services) =>
        new StoreIntake(app_id, http, services).RunAsync();

    private sealed class StoreIntake(string app_id, HttpContext http, IntakeServices services)
        : WholeBodyIntake(app_id, http, services)
    {
        protected override IntakeRefusal? Take(Memory<byte> body)
        {
            var (json, refusal) = Decode(body);
            return refusal ?? Items.KeepEvent(json, headerId: null);
        }

        private (Memory<byte> Json, IntakeRefusal? Refusal) Decode(Memory<byte> body)
        {
            var isBase64 = !body.Span.ContainsAny("{}\""u8);
            if (!isBase64) return (body, null);
            if (Base64.DecodeFromUtf8InPlace(body.Span, out var length) != OperationStatus.Done)
                return (default, SentryRefusal.BadEvent);
            return TryTakeMemory(EventLimits.Largest) ? Inflate(body[..length]) : (default, IntakeRefusal.NoRoom);
        }

        private static (Memory<byte>, IntakeRefusal?) Inflate(Memory<byte> compressed)
        {
            using var stream = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            var json = new byte[EventLimits.Largest + 1];
            try
            {
                var length = stream.ReadAtLeast(json, json.Length, throwOnEndOfStream: false);
                if (length > EventLimits.Largest) return (default, SentryRefusal.LargeEvent);
                return (json.AsMemory(0, length), null);
            }
            catch (Exception e) when (RequestBody.FaultOf(e) is not null)
            {
                return (default, SentryRefusal.BadEvent);
            }
        }
    }
}
