using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>The tables that counters are kept in, by their names in SQL.</summary>
public sealed record CounterTables(TableNames Names)
{
    /// <summary>Raised whenever what is counted changes.</summary>
    public const uint Version = 4;

    /// <summary>Those of this version.</summary>
    public static readonly CounterTables Current = new(new TableNames($"v{Version}"));

    private const string Bucket = "bucket timestamptz", Level = "level text", Hash = "message_hash uuid",
        Message = "message text", Tenant = "tenant_id text", Step = "step text", Count = "count bigint",
        LastSeen = "last_seen timestamptz";

    /// <summary>As they are made.</summary>
    internal static readonly ProjectionTable[] Definitions =
    [
        new("level_counts", [Tenant, Step, Bucket, Level], Count),
        new("message_counts", [Tenant, Step, Bucket, Level, Hash], Count, LastSeen),
        new("message_texts", [Hash], Message),
        new("open_minutes", [Bucket, Tenant, Hash, Level], Message, Count, LastSeen)
        {
            Fill = 50, // each fold updates the same rows, which is cheap as long as their page has room
        },
        new("open_buckets", [Bucket]),
    ];

    /// <summary>Events of a bucket by level.</summary>
    public string Levels => Names["level_counts"];

    /// <summary>Events of a bucket by level and message.</summary>
    public string Messages => Names["message_counts"];

    /// <summary>The messages by their hashes.</summary>
    public string Texts => Names["message_texts"];

    /// <summary>
    /// The counts of minutes that may still grow, which no other table has yet: live folds touch one row a message here
    /// instead of one a step.
    /// </summary>
    public string OpenMinutes => Names["open_minutes"];

    /// <summary>
    /// The minutes that <see cref="OpenMinutes"/> has rows of. Readers look up these and no others: where an old
    /// snapshot keeps the rows of minutes that are over from being removed, they are not visited.
    /// </summary>
    public string OpenBuckets => Names["open_buckets"];

    public string[] All => [Levels, Messages, Texts, OpenMinutes, OpenBuckets];
}
