using ErrorTracker.Http;
using Microsoft.AspNetCore.Mvc;
using Wolverine.Http;

namespace ErrorTracker.Intake.Native;

public static class SendBatch
{
    public const int MostEvents = 10_000, Largest = 16 * 1024 * 1024;

    internal const string
        Example = $"[{SendEvent.Example}]",
        LinesExample = """{"occurred_at":"2026-01-31T12:34:56.789Z","level":"ERROR","message":"Payment declined"}""";

    /// <summary>
    /// Stores many errors: a JSON array, or a line for each. Answered after all are committed; good ones are kept although
    /// others are rejected. Where none is kept, and none was sent before, the answer is a 400 with the members of the 200,
    /// a 429 with them if a limit was reached, or a 503 if an event could not be committed. The received_at of an event is
    /// when its bytes had arrived.
    /// </summary>
    [WolverinePost("/apps/{app_id}/events/batch", OperationId = "SendBatch")]
    [ProducesResponseType<BatchReceipt>(200), Refuses(400, 401, 403, 413, 415, 429, 503, Type = typeof(BatchProblem))]
    [Ingests(MediaType.Json, Example, Type = typeof(SentEvent[])), Ingests(MediaType.Lines, LinesExample)]
    public static Task<IResult> Post(
        string app_id, HttpContext http, FieldErrors errors, [FromServices] IntakeServices services) =>
        new BatchIntake(app_id, http, errors, services).RunAsync();
}
