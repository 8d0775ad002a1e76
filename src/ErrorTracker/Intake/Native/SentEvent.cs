using System.ComponentModel.DataAnnotations;
using ErrorTracker.Log;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// An error, as its application sends it. Members that are not named here are kept in `context`. What is too long or
/// too many is cut, and named in `context.dropped`.
/// </summary>
/// <remarks>For the documentation: <see cref="EventBody"/> reads it.</remarks>
/// <param name="OccurredAt" example="2026-01-31T12:34:56.789Z">
/// The client's clock. A time without an offset is UTC.
/// </param>
/// <param name="Level" example="ERROR">How severe it is.</param>
/// <param name="Message" example="Payment declined">What happened; cut after 8,192 characters.</param>
/// <param name="Stack">Where it happened: an object, a text, or a list of frames.</param>
/// <param name="Tags">To tell errors apart by; at most 64, those beyond are kept in `context.tags`.</param>
/// <param name="Context">Whatever else is known.</param>
/// <param name="EventId" example="7d3f1f0e-6f3b-4f64-9a55-0d6f7c1f2a10">
/// The sender's own name for it, by which it may be sent again and is stored once, and by which it is found.
/// </param>
/// <param name="Fingerprint">What makes it the same error as others; at most 32 parts.</param>
internal sealed record SentEvent(
    DateTimeOffset OccurredAt,
    string Level,
    [property: MinLength(1)] string Message,
    RawJson? Stack,
    RawJson? Tags,
    RawJson? Context,
    Guid? EventId,
    IReadOnlyList<string>? Fingerprint);
