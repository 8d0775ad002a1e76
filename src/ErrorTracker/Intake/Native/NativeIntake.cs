using ErrorTracker.Http;

namespace ErrorTracker.Intake.Native;

/// <summary>
/// The native protocol: <c>POST /apps/{app_id}/events</c> and <c>…/events/batch</c>, with the key in a header and
/// refusals as RFC 9457 problem details. This room owns both endpoints and how events are read from their JSON; it may
/// use Intake and the rooms below, and not Sentry.
/// </summary>
/// <param name="app_id">As the path has it.</param>
/// <param name="http">The request.</param>
/// <param name="errors">What is wrong with the request, by field, so far.</param>
/// <param name="its">What an intake works with.</param>
internal abstract class NativeIntake(string app_id, HttpContext http, FieldErrors errors, IntakeServices its)
    : RequestIntake(app_id, http, its)
{
    public const string KeyHeader = "X-INGEST-KEY";

    private static readonly IntakeRefusal
        NoKey = IntakeRefusal.NoKey.Saying($"The header {KeyHeader} is required."),
        NoEncoding = IntakeRefusal.UnknownEncoding.Saying("Content-Encoding must be gzip, br or deflate.");

    protected FieldErrors Errors => errors;

    protected override (string? Key, IntakeRefusal? Refusal) FindKey()
    {
        var key = Http.Request.Headers[KeyHeader].ToString();
        return key.Length == 0 ? (null, NoKey) : (key, null);
    }

    /// <summary>Admits bodies whose media type is named here, in an encoding that can be read.</summary>
    protected IntakeRefusal? AdmitBody(bool isKnownType, string types)
    {
        if (!isKnownType) return IntakeRefusal.UnknownMediaType.Saying($"The body must be {types}.");
        return RequestBody.CanDecode(Http.Request) ? null : NoEncoding;
    }

    protected override IResult Refuse(IntakeRefusal refusal)
    {
        if (refusal == IntakeRefusal.BadApplication) return Refusal.Invalid(errors);
        if (refusal.Errors is not null) return Refusal.Invalid(refusal.Errors);
        return refusal.Status switch
        {
            StatusCodes.Status429TooManyRequests => Refusal.TooMany(refusal.Text, refusal.RetryAfter, Http.Response),
            StatusCodes.Status503ServiceUnavailable => Refusal.TryLater(refusal.Text, Http.Response),
            _ => Refusal.Of(refusal.Status, refusal.Text),
        };
    }
}
