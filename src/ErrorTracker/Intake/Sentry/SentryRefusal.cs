using System.Globalization;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What is answered instead of an id.</summary>
/// <param name="Detail" example="The event must not be larger than 1 MiB.">
/// Why nothing of the request was stored.
/// </param>
public sealed record SentryProblem(string Detail);

/// <summary>
/// How refusals are said to SDKs: the protocol's own words for members of the closed list, and its form. The text is
/// the answer's <c>detail</c> and its header <c>X-Sentry-Error</c>.
/// </summary>
internal static class SentryRefusal
{
    public const string ErrorHeader = "X-Sentry-Error", LimitsHeader = "X-Sentry-Rate-Limits";

    public static readonly IntakeRefusal
        NoKey = IntakeRefusal.NoKey.Saying(
            "The key is missing: send sentry_key in X-Sentry-Auth, in Authorization or in the query, "
            + "or the dsn in the envelope's header."),
        Disagreeing = IntakeRefusal.WrongKey.Saying("The request names more than one key or application."),
        UnknownEncoding = IntakeRefusal.UnknownEncoding.Saying("Content-Encoding must be gzip, deflate, br or zstd.");

    public static readonly IntakeRefusal
        BrokenEncoding = IntakeRefusal.Invalid.Saying("The body is not compressed as Content-Encoding says."),
        BrokenRequest = IntakeRefusal.Invalid.Saying(
            "The body is not framed as the request's headers say, or arrived too slowly."),
        Empty = IntakeRefusal.Invalid.Saying("The body is empty."),
        BadHeader = IntakeRefusal.Invalid.Saying("The envelope's first line must be a JSON object."),
        BadItemHeader = IntakeRefusal.Invalid.Saying(
            "An item's header must be a line with a JSON object: "
            + "type is a string, length a whole number of bytes or absent."),
        CutOff = IntakeRefusal.Invalid.Saying("The envelope ends before an item's length."),
        NoLineEnd = IntakeRefusal.Invalid.Saying("An item is longer than its length: a line end must follow it."),
        SecondEvent = IntakeRefusal.Invalid.Saying("An envelope has at most one event."),
        BadEvent = IntakeRefusal.Invalid.Saying("The event must be a JSON object."),
        BadReport = IntakeRefusal.Invalid.Saying(
            "The body must be a browser's report in JSON: csp-report, or what the Reporting API sends."),
        NoDump = IntakeRefusal.Invalid.Saying(
            "The body must be a minidump, or a form with one in its field upload_file_minidump."),
        BrokenForm = IntakeRefusal.Invalid.Saying("The body is not multipart/form-data as its Content-Type says.");

    public static readonly IntakeRefusal
        LongHeader = IntakeRefusal.TooLarge.Saying("A header line must not be longer than 16 KiB."),
        ManyItems = IntakeRefusal.TooLarge.Saying("An envelope has at most 10,000 items."),
        LargeForm = IntakeRefusal.TooLarge.Saying(
            "A form has at most 1,000 fields, and 1 MiB in those that are no files."),
        LargeEvent = IntakeRefusal.TooLarge.Saying("An event must not be larger than 1 MiB."),
        LargeEnvelope = IntakeRefusal.TooLarge.Saying(
            "An envelope must not be larger than 20 MiB, or 100 MiB inflated.");

    /// <summary>SDKs hold back on a 429, and give up on a 503.</summary>
    public static readonly IntakeRefusal NoRoom =
        IntakeRefusal.NoRoom with { Status = StatusCodes.Status429TooManyRequests };

    public static IResult Answer(IntakeRefusal refusal, HttpResponse response)
    {
        if (refusal == IntakeRefusal.NoRoom) refusal = NoRoom;
        response.Headers[ErrorHeader] = refusal.Text;
        if (refusal.Status is 429 or 503)
            response.Headers.RetryAfter = refusal.RetryAfter.ToString(CultureInfo.InvariantCulture);
        if (refusal.Status == 429) response.Headers[LimitsHeader] = $"{refusal.RetryAfter}:{HeldBack(refusal)}";
        return Results.Json(new SentryProblem(refusal.Text), statusCode: refusal.Status);
    }

    /// <summary>
    /// What SDKs are asked to hold back: everything for a moment where there is no room, and errors for as long as a
    /// limit takes. Categories, scope, reason.
    /// </summary>
    private static string HeldBack(IntakeRefusal refusal) =>
        refusal == NoRoom ? ":project:no_room" : $"error:project:{refusal.Reason.Stored.Replace(' ', '_')}";
}
