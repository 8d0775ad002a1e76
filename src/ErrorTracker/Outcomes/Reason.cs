namespace ErrorTracker.Outcomes;

/// <summary>
/// Why an event that was sent is not stored now: a closed list. The literal is stored in the tally, shown in
/// <c>loss</c>, and is the tag of the metric of refused events: it never changes.
/// </summary>
internal sealed class Reason
{
    /// <summary>The request or the event cannot be read, or a member of it is wrong.</summary>
    public static readonly Reason Invalid = new("invalid");

    /// <summary>Its event_id was sent before with other content.</summary>
    public static readonly Reason Conflicting = new("conflicting");

    /// <summary>The request or the event is larger than one may be.</summary>
    public static readonly Reason TooLarge = new("too large");

    /// <summary>The body is of a media type or an encoding that the call does not take.</summary>
    public static readonly Reason MediaType = new("media type");

    /// <summary>The body took too long to arrive. Counted as invalid today; former rows have it.</summary>
    public static readonly Reason TooSlow = new("too slow");

    /// <summary>The application has reached the operator's limit of events a second.</summary>
    public static readonly Reason RateLimited = new("rate limited");

    /// <summary>The application has reached the operator's limit of bytes a day.</summary>
    public static readonly Reason OverQuota = new("over quota");

    /// <summary>
    /// The application's share of the queue or of the memory is used up, or the database does not commit.
    /// </summary>
    public static readonly Reason NoRoomOrDatabase = new("no room or no database");

    /// <summary>The request shows no key. Counted by the metric only: nobody knows whose it is.</summary>
    public static readonly Reason NoKey = new("no key");

    /// <summary>The key does not open the application. Counted by the metric only.</summary>
    public static readonly Reason WrongKey = new("wrong key");

    /// <summary>None of these. Nothing is refused for it today; former rows have it.</summary>
    public static readonly Reason Other = new("other");

    /// <summary>Its event_id was sent before with the same content, and answered as it was then.</summary>
    public static readonly Reason Duplicate = new("duplicate");

    private Reason(string stored) => Stored = stored;

    /// <summary>The literal.</summary>
    public string Stored { get; }

    public override string ToString() => Stored;
}

/// <summary>What a row of the tally counts. The literals are stored.</summary>
internal static class OutcomeKind
{
    /// <summary>Duplicates and refusals, by <see cref="Reason"/>.</summary>
    public const string Refused = "refused";

    /// <summary>What SDKs sent and this product has no place for, by category.</summary>
    public const string NotKept = "not_kept";

    /// <summary>What SDKs say they dropped before they sent it, by reason and category in their own words.</summary>
    public const string ClientDropped = "client_dropped";
}
