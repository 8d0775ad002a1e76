using ErrorTracker.Outcomes;

namespace ErrorTracker.Intake;

/// <summary>
/// Each way to refuse a request that sends events: the closed list for all protocols. A protocol writes a refusal in
/// its own form, may give it words of its own (<see cref="Saying"/>), and may give it another status.
/// </summary>
/// <param name="Reason">Under which it is counted.</param>
/// <param name="Status">Of the answer.</param>
/// <param name="Text">What is wrong, for the sender: a sentence.</param>
internal sealed record IntakeRefusal(Reason Reason, int Status, string Text)
{
    public static readonly IntakeRefusal BadApplication =
        new(Reason.Invalid, 400, "app_id must be a positive integer.");

    public static readonly IntakeRefusal NoKey = new(Reason.NoKey, 401, "The key is missing.");

    /// <summary>Also that of an application that does not exist, so that nobody can probe for applications.</summary>
    public static readonly IntakeRefusal WrongKey =
        new(Reason.WrongKey, 403, "The key does not open this application.");

    public static readonly IntakeRefusal UnknownMediaType =
        new(Reason.MediaType, 415, "The body is of another media type.");

    public static readonly IntakeRefusal UnknownEncoding =
        new(Reason.MediaType, 415, "The Content-Encoding is not known.");

    /// <summary>The body cannot be read, or what it holds is no event.</summary>
    public static readonly IntakeRefusal Invalid = new(Reason.Invalid, 400, "The body is invalid.");

    public static readonly IntakeRefusal TooLarge =
        new(Reason.TooLarge, 413, "The body must not be larger than 1 MiB.");

    public static readonly IntakeRefusal Conflicting =
        new(Reason.Conflicting, 409, "This event_id was sent before with other content.");

    /// <summary>The application's share of the queue, or of the memory for bodies, is used up.</summary>
    public static readonly IntakeRefusal NoRoom = new(Reason.NoRoomOrDatabase, 503, "The write queue is full.");

    public static readonly IntakeRefusal NotCommitted =
        new(Reason.NoRoomOrDatabase, 503, "The event could not be committed.");

    public static readonly IntakeRefusal DatabaseAway =
        new(Reason.NoRoomOrDatabase, 503, "The database does not answer.");

    public static readonly IntakeRefusal Stopping = new(Reason.NoRoomOrDatabase, 503, "The host is stopping.");

    /// <summary>A limit of the operator's is reached.</summary>
    public static IntakeRefusal Of(ReachedLimit limit) =>
        new(limit.Reason, 429, limit.Detail) { RetryAfter = limit.RetryAfter };

    /// <summary>For statuses 429 and 503: seconds after which it is worth another try.</summary>
    public int RetryAfter { get; init; } = 1;

    /// <summary>What is wrong, by field; null where no field is.</summary>
    public IDictionary<string, string[]>? Errors { get; init; }

    public IntakeRefusal Saying(string text) => this with { Text = text };

    public static IntakeRefusal InvalidFields(IDictionary<string, string[]> errors) => Invalid with { Errors = errors };

    public static IntakeRefusal InvalidBody(string fault) =>
        InvalidFields(new Dictionary<string, string[]> { ["body"] = [fault] });
}
