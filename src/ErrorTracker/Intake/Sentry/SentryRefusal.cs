using System.Globalization;
using System.Text.Json.Serialization;

namespace ErrorTracker.Intake.Sentry;

/// <summary>What is answered instead of an id.</summary>
/// <param name="Detail" example="The event must not be larger than 1 MiB.">Why nothing of the request was stored.</param>
public sealed record SentryProblem(string Detail);

/// <summary>
/// Each way to refuse what an SDK sends: a closed list. The text is the answer's <c>detail</c> and its header
/// <c>X-Sentry-Error</c>; the status, or the limit, is the reason under which it is counted.
/// </summary>
internal sealed record SentryRefusal(int Status, string Text)
{
    public const string ErrorHeader = "X-Sentry-Error", LimitsHeader = "X-Sentry-Rate-Limits";

    /// <summary>Seconds after which an SDK may try again.</summary>
    private int Pause { get; init; } = 1;

    /// <summary>Where there is no room, SDKs are asked to hold back everything for a moment.</summary>
    private string Limited { get; init; } = ":project:no_room";

    public static readonly SentryRefusal
        NoApplication = new(400, "app_id must be a positive integer."),
        NoKey = new(401, "The key is missing: send sentry_key in X-Sentry-Auth, in Authorization or in the query, or the dsn in the envelope's header."),
        WrongKey = new(403, "The key does not open this application."),
        Disagreeing = new(403, "The request names more than one key or application."),
        UnknownEncoding = new(415, "Content-Encoding must be gzip, deflate, br or zstd."),
        BrokenEncoding = new(400, "The body is not compressed as Content-Encoding says."),
        BrokenRequest = new(400, "The body is not framed as the request's headers say, or arrived too slowly."),
        Empty = new(400, "The body is empty."),
        BadHeader = new(400, "The envelope's first line must be a JSON object."),
        BadItemHeader = new(400, "An item's header must be a line with a JSON object: type is a string, length a whole number of bytes or absent."),
        LongHeader = new(413, "A header line must not be longer than 16 KiB."),
        CutOff = new(400, "The envelope ends before an item's length."),
        NoLineEnd = new(400, "An item is longer than its length: a line end must follow it."),
        SecondEvent = new(400, "An envelope has at most one event."),
        ManyItems = new(413, "An envelope has at most 10,000 items."),
        BadEvent = new(400, "The event must be a JSON object."),
        BadReport = new(400, "The body must be a browser's report in JSON: csp-report, or what the Reporting API sends."),
        NoDump = new(400, "The body must be a minidump, or a form with one in its field upload_file_minidump."),
        BrokenForm = new(400, "The body is not multipart/form-data as its Content-Type says."),
        LargeForm = new(413, "A form has at most 1,000 fields, and 1 MiB in those that are no files."),
        LargeEvent = new(413, "An event must not be larger than 1 MiB."),
        LargeEnvelope = new(413, "An envelope must not be larger than 20 MiB, or 100 MiB inflated."),
        NoRoom = new(429, "The write queue is full."),
        NotCommitted = new(503, "The event could not be committed."),
        Away = new(503, "The database does not answer."),
        Stopping = new(503, "The host is stopping.");

    /// <summary>SDKs are asked to hold back errors for as long as the limit takes.</summary>
    public static SentryRefusal Of(ReachedLimit limit) =>
        new(429, limit.Detail) { Pause = limit.RetryAfter, Limited = $"error:project:{limit.Reason.Replace(' ', '_')}" };

    public IResult Answer(HttpResponse response)
    {
        response.Headers[ErrorHeader] = Text;
        if (Status is 429 or 503) response.Headers.RetryAfter = Pause.ToString(CultureInfo.InvariantCulture);
        if (Status == 429) response.Headers[LimitsHeader] = $"{Pause}:{Limited}";
        return Results.Json(new SentryProblem(Text), statusCode: Status);
    }
}
