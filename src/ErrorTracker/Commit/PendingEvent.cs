using System.Buffers.Binary;
using System.Security.Cryptography;
using ErrorTracker.Grouping;
using ErrorTracker.Log;

namespace ErrorTracker.Commit;

/// <summary>What became of an event that was sent.</summary>
public enum Fate
{
    /// <summary>It is committed.</summary>
    Stored,

    /// <summary>It had been committed before, with the same content.</summary>
    Repeated,

    /// <summary>Its <c>event_id</c> had been committed before, with other content.</summary>
    Conflicting,

    /// <summary>It is not stored and will not be. The commit has written why to the log.</summary>
    NotCommitted,
}

/// <param name="ReceivedAt">When the event that is stored was received.</param>
public readonly record struct Settlement(Fate Fate, DateTimeOffset ReceivedAt);

/// <summary>
/// An accepted event on its way to the log. <see cref="Settled"/> completes after the commit that holds it, or when no
/// commit will; it never fails.
/// </summary>
/// <param name="MayRepeat">Its sender named it, and so may send it again.</param>
/// <param name="Data">As the log stores it: JSON in UTF-8.</param>
public sealed record PendingEvent(
    int ApplicationId, Guid Id, bool MayRepeat, DateTimeOffset ReceivedAt, byte[] Data, EventKind Kind)
{
    public int Size => Data.Length;

    /// <summary>What is stored beside it: JSON in UTF-8; null: nothing.</summary>
    public byte[]? Headers { get; init; }

    /// <summary>When it was put on the queue, in ticks of the clock.</summary>
    internal long EnqueuedAt { get; set; }

    public TaskCompletionSource<Settlement> Settled { get; } = new();

    /// <summary>Settles it as not committed, unless it is settled.</summary>
    internal void GiveUp() => Settled.TrySetResult(new(Fate.NotCommitted, ReceivedAt));

    /// <param name="applicationId">Whose event it is.</param>
    /// <param name="incoming">As a protocol has read it.</param>
    /// <param name="receivedAt">When it had arrived.</param>
    /// <param name="rules">By which the application groups its events.</param>
    internal static PendingEvent Of(
        int applicationId, IncomingEvent incoming, DateTimeOffset receivedAt, RuleSet rules)
    {
        var error = incoming.IsUndated ? incoming.Error with { OccurredAt = receivedAt } : incoming.Error;
        var id = Guid.CreateVersion7(receivedAt);
        if (incoming.EventId is { } named)
        {
            error = error with { EventId = named };
            id = IdOf(applicationId, named);
        }
        var mayRepeat = incoming.EventId is not null;
        return new(applicationId, id, mayRepeat, receivedAt, error.ToStored(), EventKinds.ErrorOccurred)
        {
            Headers = EventFacts.Of(error, rules.Rules).ToHeaders(rules),
        };
    }

    /// <summary>
    /// What an <c>event_id</c> is stored under: a UUID of version 8 (RFC 9562) made of SHA-256 of the application and
    /// it, so that no application can meet another's events or find out about them.
    /// </summary>
    public static Guid IdOf(int applicationId, Guid eventId)
    {
        Span<byte> name = stackalloc byte[20], hash = stackalloc byte[32];
        BinaryPrimitives.WriteInt32BigEndian(name, applicationId);
        eventId.TryWriteBytes(name[4..], bigEndian: true, out _);
        SHA256.HashData(name, hash);
        hash[6] = (byte)((hash[6] & 0x0f) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3f) | 0x80);
        return new(hash[..16], bigEndian: true);
    }
}
