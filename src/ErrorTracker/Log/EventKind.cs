using Marten;
using Marten.Events;

namespace ErrorTracker.Log;

/// <summary>
/// A kind of event: what the log calls it, and how one that is sent again is compared with the one that is stored. The
/// stored names are data: literals that stay when a class is renamed or moves.
/// </summary>
/// <param name="type">The class that Marten reads a row into.</param>
public sealed class EventKind(Type type)
{
    /// <summary>The column <c>type</c>, by which Marten finds the class of a row.</summary>
    public required string StoredType { get; init; }

    /// <summary>The column <c>mt_dotnet_type</c>: what the class was called when the first row was written.</summary>
    public required string StoredDotnetType { get; init; }

    /// <summary>Whether it is listed and counted.</summary>
    public bool IsError { get; init; }

    /// <summary>
    /// Whether the rows <c>stored</c> and <c>sent</c>, of the same id, have the same content; as SQL.
    /// </summary>
    public string IsRepeated { get; init; } = "stored.data = sent.data";

    /// <summary>
    /// Marten calls a class's events after its present name and place, unless it is told otherwise. For
    /// <c>mt_dotnet_type</c> it offers no option, but the mapping, which is public, can be set.
    /// </summary>
    internal void Register(StoreOptions options)
    {
        options.Events.MapEventType(type, StoredType);
        ((EventGraph)options.Events).EventMappingFor(type).DotNetTypeName = StoredDotnetType;
    }
}

/// <summary>All kinds of events that the log holds.</summary>
public static class EventKinds
{
    /// <summary>What an event holds whose sender gave no time: received_at took its place.</summary>
    private const string Undated = """{"context":{"undated":true}}""";

    /// <remarks>
    /// On a repetition its event_id does not count: equal ids tell that it is equal, and rows of former versions lack
    /// it. The occurred_at of an event without a time of its own does not count either: it is another one each time.
    /// </remarks>
    public static readonly EventKind ErrorOccurred = new(typeof(ErrorOccurred))
    {
        StoredType = "error_occurred",
        StoredDotnetType = "ErrorTracker.Ingestion.ErrorOccurred, ErrorTracker",
        IsError = true,
        IsRepeated =
            $"""
            stored.data - 'event_id' = sent.data - 'event_id'
              or (sent.data @> '{Undated}'
                and stored.data - array['occurred_at', 'event_id'] = sent.data - array['occurred_at', 'event_id'])
            """,
    };

    /// <summary>Former versions wrote it; this one only reads it.</summary>
    public static readonly EventKind LossReported = new(typeof(LossReported))
    {
        StoredType = "loss_reported",
        StoredDotnetType = "ErrorTracker.Ingestion.LossReported, ErrorTracker",
    };

    public static readonly EventKind[] All = [ErrorOccurred, LossReported];
}
