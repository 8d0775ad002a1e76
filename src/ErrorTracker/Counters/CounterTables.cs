using ErrorTracker.Projections;

namespace ErrorTracker.Counters;

/// <summary>The tables that counters are kept in, by their names in SQL.</summary>
public sealed record CounterTables(TableNames Names)
{
    /// <summary>Raised whenever what is counted changes.</summary>
    public const uint Version = 5;

    /// <summary>Those of this version.</summary>
    public static readonly CounterTables Current = new(new TableNames($"v{Version}"));

    private const string Bucket = "bucket timestamptz", Level = "level text", Hash = "message_hash uuid",
        Message = "message text", Tenant = "tenant_id text", Step = "step text", Count = "count bigint",
        FirstSeen = "first_seen timestamptz", LastSeen = "last_seen timestamptz", Release = "release text",
        Environment = "environment text", Grouping = "grouping integer", Number = "number integer",
        Key = "group_key text";

    internal const string EventKeysName = "event_keys";

    /// <summary>As they are made.</summary>
    internal static readonly ProjectionTable[] Definitions =
    [
        new("level_counts", [Tenant, Step, Bucket, Level], Count),
        new("message_counts", [Tenant, Grouping, Step, Bucket, Level, Hash, Number], Count, FirstSeen, LastSeen),
        new("message_texts", [Hash], Message),
        new("groups", [Tenant, Grouping, Number],
            Key, "first_seq bigint", FirstSeen, LastSeen, Count, "text_seq bigint", Level, "title text", "type text",
            "place text")
        {
            Fill = 80,
            Indexes =
            [
                new("by_key", "(tenant_id, grouping, group_key)") { IsUnique = true },
                new("by_last", "(tenant_id, grouping, last_seen desc, number desc)"),
                new("by_first", "(tenant_id, grouping, first_seen desc, number desc)"),
                new("by_count", "(tenant_id, grouping, count desc, number desc)"),
                new("untold", "(tenant_id, grouping) where text_seq = 0"),
            ],
        },
        new("group_counts", [Tenant, Grouping, Number, Step, Bucket, Level, Release, Environment], Count),
        new("releases", [Tenant, Release], FirstSeen, LastSeen, Count),
        new(EventKeysName, [Tenant, Grouping, "seq_id bigint"], Key, Release, Environment, "received_at timestamptz")
        {
            Indexes = [new("by_key", "(tenant_id, grouping, group_key, received_at desc, seq_id desc)")],
        },
        new("open_minutes", [Bucket, Tenant, Grouping, Number, Hash, Level, Release, Environment],
            Message, Count, FirstSeen, LastSeen)
        {
            Fill = 50, // each fold updates the same rows, which is cheap as long as their page has room
        },
        new("open_buckets", [Bucket]),
    ];

    /// <summary>Events of a bucket by level.</summary>
    public string Levels => Names["level_counts"];

    /// <summary>Events of a bucket by level, message and group.</summary>
    public string Messages => Names["message_counts"];

    /// <summary>The messages by their hashes.</summary>
    public string Texts => Names["message_texts"];

    /// <summary>
    /// The groups of each application, numbered by their first events in the order of the log, so that a rebuild gives
    /// the same. Counts and times are those of closed minutes; a group is there as soon as its first event is folded.
    /// </summary>
    public string Groups => Names["groups"];

    /// <summary>Events of a bucket by group, level, release and environment.</summary>
    public string GroupCounts => Names["group_counts"];

    /// <summary>The releases of each application.</summary>
    public string Releases => Names["releases"];

    /// <summary>
    /// Facts of those events beside which other ones or none are stored, because they were stored by a former version
    /// or under other rules.
    /// </summary>
    public string EventKeys => Names[EventKeysName];

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

    public string[] All => [.. Definitions.Select(table => Names[table.Name])];
}
