using System.Buffers;
using System.Buffers.Text;
using System.IO.Compression;
using ErrorTracker.Http;
using ErrorTracker.Intake.Native;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Sentry;

public static class SendStore
{
    private const string Compressed = "eJyrVspNLS5OTE9VslLKVaoFACq2BQ0="; // {"message":"m"}

    private const string Example = """{"event_id":"7d3f1f0e6f3b4f649a550d6f7c1f2a10","timestamp":"2026-01-31T12:34:56.789Z","level":"error","message":"Payment declined"}""";

    /// <summary>Takes one event of an older Sentry SDK: its JSON, or that compressed with zlib and written in Base64. Answered 200 only after it is committed.</summary>
    [WolverinePost("/api/{app_id}/store", OperationId = "SendStore")]
    [ProducesResponseType<SentryReceipt>(200)]
    [Refuses(400, 401, 403, 413, 415, 429, 503, MediaType = "application/json")]
    [Ingests(Door.Json, Example, Type = typeof(SdkEvent)), Ingests("text/plain", Compressed)]
    public static async Task<IResult> Post(string app_id, HttpContext http, [FromServices] IntakeServices services)
    {
        using var intake = new StoreIntake(app_id, http, services);
        return await intake.RunAsync();
    }

    private sealed class StoreIntake(string app_id, HttpContext http, IntakeServices services)
        : WholeBodyIntake(app_id, http, services)
    {
        protected override SentryRefusal? Take(Memory<byte> body)
        {
            var (json, refusal) = Decode(body);
            return refusal ?? KeepEvent(json, headerId: null);
        }

        private (Memory<byte> Json, SentryRefusal? Refusal) Decode(Memory<byte> body)
        {
            if (body.Span.ContainsAny("{}\""u8)) return (body, null); // no Base64
            if (Base64.DecodeFromUtf8InPlace(body.Span, out var length) != OperationStatus.Done) return (default, SentryRefusal.BadEvent);
            return TryTakeRoom(EventBody.Largest) ? Inflate(body[..length]) : (default, SentryRefusal.NoRoom);
        }

        private static (Memory<byte>, SentryRefusal?) Inflate(Memory<byte> compressed)
        {
            using var stream = new ZLibStream(new MemoryStream(compressed.ToArray()), CompressionMode.Decompress);
            var json = new byte[EventBody.Largest + 1];
            try
            {
                var length = stream.ReadAtLeast(json, json.Length, throwOnEndOfStream: false);
                return length > EventBody.Largest ? (default, SentryRefusal.LargeEvent) : (json.AsMemory(0, length), null);
            }
            catch (Exception e) when (RequestBody.FaultOf(e) is not null)
            {
                return (default, SentryRefusal.BadEvent);
            }
        }
    }
}
